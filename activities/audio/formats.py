"""Which files june plays: known by their first bytes, never by what they are named or declared as.

Each format is attack surface, and its demuxer and decoders run in the confined process alone. A format is here
because telephones, browsers, cameras, dictation machines or voice mail make it; games', studios' and music
collectors' formats are not.
"""

DECODERS = frozenset(
    {
        # Messengers, browsers, telephones
        *("opus", "libopus", "vorbis", "aac", "aac_fixed", "mp3", "mp3float", "flac", "alac", "speex"),
        *("amrnb", "amrwb", "libopencore_amrnb", "libopencore_amrwb", "adpcm_ima_qt"),
        # Voice mail and telephone exchanges
        *("pcm_alaw", "pcm_mulaw", "gsm", "gsm_ms", "adpcm_ima_wav", "adpcm_ms", "g722", "g726"),
        # Uncompressed: WAV, AIFF, CAF, QuickTime
        *("pcm_s8", "pcm_u8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be"),
        *("pcm_f32le", "pcm_f32be", "pcm_f64le", "pcm_f64be"),
        # Dictation machines and Windows' recorder; cameras' sound
        *("wmav1", "wmav2", "wmavoice", "mp2", "mp2float", "ac3", "eac3"),
    }
)
"""FFmpeg's names of the decoders that may see a byte: no picture or video decoder ever does."""

MP4 = "mov,mp4,m4a,3gp,3g2,mj2"
_MAGIC = {
    b"OggS": "ogg",
    b"fLaC": "flac",
    b"#!AMR": "amr",
    b"caff": "caf",
    b".snd": "au",
    b"\x1a\x45\xdf\xa3": "matroska,webm",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "asf",
    b"riff\x2e\x91\xcf\x11": "w64",
    b"\0\0\1\xba": "mpeg",
}
_FORMS = {
    (b"RIFF", b"WAVE"): "wav",
    (b"RIFX", b"WAVE"): "wav",
    (b"RF64", b"WAVE"): "wav",
    (b"BW64", b"WAVE"): "wav",
    (b"RIFF", b"AVI "): "avi",
    (b"FORM", b"AIFF"): "aiff",
    (b"FORM", b"AIFC"): "aiff",
}
"""Containers of chunks: the first four bytes, and those after the size."""
_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
"""What an MP4 begins with, and QuickTime of before there was an ``ftyp``."""
_TS_PACKETS = ((0, 188), (4, 192))
"""MPEG transport streams: where the first sync byte (0x47) stands, and bytes from one to the next; cameras put a time
stamp before each."""

ID3_HEADER = 10
"""Bytes, of a tag's header and of its footer (id3.org, version 2.4)."""


def tag_length(data: bytes) -> int:
    """Return the bytes of the ID3v2 tags that a file begins with; 0 where there are none.

    Taggers put them before files of any format. They are not read, only stepped over: it may be more than ``data`` has.
    """
    end = 0
    while data[end : end + 3] == b"ID3" and len(head := data[end : end + ID3_HEADER]) == ID3_HEADER:
        size = 0
        for byte in head[6:10]:
            size = size << 7 | byte & 0x7F
        footer = ID3_HEADER if head[5] & 0x10 else 0
        end += ID3_HEADER + size + footer
    return end


def demuxer_of(data: bytes) -> str | None:
    """Name FFmpeg's demuxer for a file by its first bytes, those behind a tag; None for all that is not accepted."""
    start = tag_length(data)
    head = data[start : start + 12]
    if head[4:8] in _BOXES:
        return MP4
    if form := _FORMS.get((head[:4], head[8:12])):
        return form
    for magic, demuxer in _MAGIC.items():
        if head.startswith(magic):
            return demuxer
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        # MPEG audio's sync word; layer 0 marks ADTS (ISO 13818-7, 6.2).
        return "mp3" if head[1] & 0x06 else "aac"
    for first, step in _TS_PACKETS:
        if data[start + first :: step][:3] == b"GGG":
            return "mpegts"
    # Between a tag and the first frame of an MP3 there may be padding that the tag's length leaves out.
    return "mp3" if start and head else None

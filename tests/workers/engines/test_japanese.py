"""Kanji are read as people say them."""

import pytest

from workers.engines.japanese import KANJI, kana


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("今日は学校に行きました。", "キョウワガッコウにイキました。"),
        ("私は日本語を勉強しています。", "ワタシワニホンゴをベンキョウしています。"),
        ("2024年3月5日は火曜日です。", "2024ネン3ガツイツカワカヨウビです。"),
        ("明日の午前十時に会議があります。", "アシタのゴゼンジュウジにカイギがあります。"),
        ("東京へ行く", "トウキョウエイク"),
        ("10人と1人が来た", "10ニンとヒトリがキた"),
        ("二十歳です", "ハタチです"),
        ("これはペンです。", "これワペンです。"),
        ("こんにちは、世界", "コンニチワ、セカイ"),
        ("21日本", "21ニホン"),
        ("ありがとう", "ありがとう"),
        ("", ""),
    ],
)
def test_readings(text: str, spoken: str) -> None:
    assert kana(text) == spoken


def test_no_common_kanji_is_left() -> None:
    assert not KANJI.search(kana("時々、人々は山の上で美味しい水を飲んで、静かに本を読む。"))

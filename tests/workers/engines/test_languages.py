"""Which language it is, by what is heard and by what is expected."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.engines.languages import Ranking, carried_over, choose

# What Whisper base says of real clips of one to three words, cut from tests/data.
LUZ_DEL: Ranking = [("de", 0.53), ("es", 0.18), ("fr", 0.06), ("en", 0.05)]
SCHALTE_DAS: Ranking = [("de", 0.73), ("en", 0.16), ("bg", 0.01), ("es", 0.01)]
COMMENT: Ranking = [("fr", 0.63), ("en", 0.12), ("ja", 0.10), ("de", 0.01), ("es", 0.01)]
THANKS: Ranking = [("hi", 0.44), ("en", 0.36), ("te", 0.13)]
LA_LUZ: Ranking = [("es", 0.86), ("fr", 0.06), ("ar", 0.01), ("en", 0.01)]


@pytest.mark.parametrize(
    ("ranking", "likely", "language"),
    [
        (LUZ_DEL, (), "de"),
        (LUZ_DEL, ("es",), "es"),
        (LUZ_DEL, ("es", "en"), "es"),
        (SCHALTE_DAS, ("en",), "de"),
        (SCHALTE_DAS, ("es", "fr"), "de"),
        (COMMENT, ("en",), "fr"),
        (COMMENT, ("de", "es"), "fr"),
        (THANKS, (), "hi"),
        (THANKS, ("en",), "en"),
        (THANKS, ("de", "en"), "en"),
        (LA_LUZ, ("fr",), "es"),
    ],
)
def test_an_expectation_helps_where_it_is_right_and_harms_nowhere(
    ranking: Ranking, likely: tuple[str, ...], language: str
) -> None:
    assert choose(ranking, likely)[0] == language


RANKINGS = st.lists(
    st.tuples(st.sampled_from(["en", "de", "es", "fr", "ja", "ru", "it"]), st.floats(0.001, 1)),
    min_size=1,
    unique_by=lambda one: one[0],
).map(lambda ranking: sorted(ranking, key=lambda one: -one[1]))


@given(RANKINGS, st.sets(st.sampled_from(["en", "de", "xx"])))
def test_any_ranking(ranking: Ranking, likely: set[str]) -> None:
    language, probability = choose(ranking, likely)
    assert language in dict(ranking)
    assert 0 < probability <= 1
    if ranking[0][1] >= 0.8 or (ranking[0][0] in likely and len(likely) == 1):
        assert language == ranking[0][0]


@pytest.mark.parametrize(
    ("languages", "carried"),
    [
        (["en", None, "de", None], ["en", "en", "de", "de"]),
        ([None, "de"], ["de", "de"]),
        ([None, None], ["fr", "fr"]),
        ([], []),
    ],
)
def test_pieces_in_doubt_go_with_those_before(languages: list[str | None], carried: list[str]) -> None:
    assert carried_over(languages, "fr") == carried

"""Tokens by all options of reading: lower case, normal forms, words, patterns, bytes that are not UTF-8."""

# ruff: noqa: RUF001

from __future__ import annotations

import re
import sys
import unicodedata
from typing import Any

import numpy as np
import oracle
import pytest
from conftest import SharedData
from hypothesis import example, given, settings
from hypothesis import strategies as st

from glove_cli.corpus import kernels, stretches
from glove_cli.corpus.config import TextConfig
from glove_cli.corpus.reader import Block, prepare_block
from glove_cli.corpus.stretches import InvalidTextError, Tokenizer, invalid_tokens
from glove_cli.corpus.tokenizer import PIECE, WordTable
from glove_cli.errors import OptionError

PIECES = [
    *(" ", " ", "\t", "\n", "\n", "\n\n", " \n"),
    *("a", "B", "the", "I", "\u0130", "\u00df", "\u03a3", "\u03c3", "\u1e9e", "\ufb01", "\u01c5", "K\u0300", "\u212b"),
    *("e", "\u0301", "\u00c9", "\u0327", "\u0323", "\u00a8", "\u037a", "\uac00", "\u1100", "\u1161", "\ufdfa"),
    *("\u00a0", "\u2028", "\u2029", "\u0085", "\x0b", "\x0c", "\x1c", "\x00", "\u3000", "\u200b", "\ufeff"),
    *("0", "7", "\u0663", "\u00b2", "\u00bd", "\u2167", "\u3007", ".", ",", "\u066b", "\uff0c", "_", "__", "\u203f"),
    *(
        "'",
        "\u2019",
        "\u02bc",
        "\u00b7",
        '"',
        "\u05e6",
        "\u05b0",
        "\u05f4",
        "\u05f3",
        "-",
        "\u00ad",
        "\u200c",
        "\u200d",
    ),
    *("\u0645\u06cc", "\u0d28\u0d4d", "\u0e44\u0e17\u0e22", "\u4eba", "\u30fc", "\u30c6", "\u2764\ufe0f", "\U0001f468"),
]
INVALID = [b"\xff", b"\xc3", b"\xa9", b"\xe2\x82", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\xf0\x9f"]
TEXT = st.lists(st.sampled_from([*(piece.encode() for piece in PIECES), *INVALID]), max_size=60).map(b"".join)
VALID = st.lists(st.sampled_from([piece.encode() for piece in PIECES]), max_size=60).map(b"".join)
PATTERNS = [
    r"\w+",
    r"\b\w\w+\b",
    r"[^\W\d_]+|\d",
    r"a*",
    r"(?:a|e)(.)",
    r"(B)|.",
    r"\S+",
    r"^.|.$",
    r"(?i)THE",
    r"[\udc80-\udcff]",
]
CONFIGS = st.fixed_dictionaries(
    {
        "lowercase": st.booleans(),
        "normalize": st.sampled_from([None, "NFC", "NFKC"]),
        "encoding_errors": st.sampled_from(["keep", "replace", "skip-token"]),
    },
    optional={"tokenizer": st.just("words"), "token_pattern": st.sampled_from(PATTERNS)},
).filter(lambda chosen: not ("tokenizer" in chosen and "token_pattern" in chosen))


def words_of(table: WordTable) -> list[bytes]:
    return table.listed(range(table.words))


def finder(chosen: dict[str, Any]) -> Any:
    """Return what the oracle finds tokens with."""
    if chosen.get("tokenizer") == "words":
        return oracle.words
    pattern = chosen.get("token_pattern")
    if pattern is None:
        return None
    group = re.compile(pattern).groups
    return lambda text: [match[group] or "" for match in re.finditer(pattern, text)]


def expected(text: bytes | list[bytes], chosen: dict[str, Any]) -> list[list[bytes]]:
    """Return the documents that the oracle finds."""
    plain = {key: value for key, value in chosen.items() if key not in ("tokenizer", "token_pattern")}
    return oracle.tokenize(text, find=finder(chosen), **plain)


def tokens(text: str, **chosen: Any) -> list[str]:
    """Return the tokens of a text without invalid bytes."""
    tokenizer = Tokenizer(TextConfig(**chosen))
    ids = tokenizer.tokenize(text.encode() + b" ")
    words = words_of(tokenizer.table)
    return [words[i].decode() for i in ids.tolist() if i >= 0]


def documents_of(ids: list[int], words: list[bytes]) -> list[list[bytes]]:
    documents: list[list[bytes]] = [[]]
    for i in ids:
        if i == kernels.DOCUMENT_END:
            documents.append([])
        else:
            documents[-1].append(words[i])
    return [document for document in documents if document]


# --- all options ----------------------------------------------------------------------------------------------------


@settings(max_examples=600, deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=4), CONFIGS, st.sampled_from([0, 1 << 30]))
@example([b"\xe2\x82", b"\xed\xa0\x80 \xed\xa0\x80"], {"encoding_errors": "replace"}, 0)
@example(["\u03a3\u03a3 \u039f\u0394\u039f\u03a3\n\u03a3".encode()], {"lowercase": True, "encoding_errors": "keep"}, 0)
@example(
    ["\ufdfa\u00a8a \ufdfa".encode()], {"normalize": "NFKC", "token_pattern": r"^.|.$", "encoding_errors": "keep"}, 0
)
def test_tokens_equal_the_oracle(texts: list[bytes], chosen: dict[str, Any], bound: int) -> None:
    tokenizer = Tokenizer(TextConfig(**chosen), _cache_bytes=bound)
    ids = [i for text in texts for i in tokenizer.tokenize(text + b"\n").tolist()]
    words = words_of(tokenizer.table)
    documents = [document for text in texts for document in expected(text, chosen)]
    assert documents_of(ids, words) == documents
    flat = [token for document in documents for token in document]
    assert words == list(dict.fromkeys(flat))  # in order of first appearance
    counts = tokenizer.table.counts[: len(words)].tolist()
    assert dict(zip(words, counts, strict=True)) == {word: flat.count(word) for word in flat}
    invalid = [stretch for stretch in re.split(rb"[ \t\n]", b"\n".join(texts)) if not oracle.is_utf8(stretch)]
    if chosen["encoding_errors"] == "keep":
        assert tokenizer.invalid == 0
        assert invalid_tokens(tokenizer.table) == sum(not oracle.is_utf8(token) for token in flat)
    else:
        assert tokenizer.invalid == len(invalid)
        assert invalid_tokens(tokenizer.table) == 0


@settings(deadline=None)
@given(st.lists(TEXT, max_size=4), CONFIGS, st.sampled_from(["line", "paragraph", "file", "none"]))
def test_documents_are_what_was_asked_for(texts: list[bytes], chosen: dict[str, Any], document: str) -> None:
    tokenizer = Tokenizer(TextConfig(document=document, **chosen))
    blocks = [Block(text, k, len(text), 0, ends_text=True) for k, text in enumerate(texts)]
    ids = [i for block in blocks for i in tokenizer.tokenize(prepare_block(block, document)).tolist()]
    right = expected(texts, chosen | {"document": document})
    assert documents_of(ids, words_of(tokenizer.table)) == right


def test_the_oracles_documents() -> None:
    texts = [b"a b\n \t\r\nc\nd\n\n", b"e\nf"]
    assert oracle.tokenize(texts) == [[b"a", b"b"], [b"c"], [b"d"], [b"e"], [b"f"]]
    assert oracle.tokenize(texts, document="paragraph") == [[b"a", b"b"], [b"c", b"d"], [b"e", b"f"]]
    assert oracle.tokenize(texts, document="file") == [[b"a", b"b", b"c", b"d"], [b"e", b"f"]]
    assert oracle.tokenize(texts, document="none") == [[b"a", b"b", b"c", b"d", b"e", b"f"]]


@settings(deadline=None)
@given(st.lists(VALID, min_size=1, max_size=3), CONFIGS, st.sampled_from(["line", "paragraph", "file", "none"]))
def test_options_of_invalid_bytes_change_nothing_else(texts: list[bytes], chosen: dict[str, Any], mode: str) -> None:
    chosen = chosen | {"document": mode}
    ways = [Tokenizer(TextConfig(**(chosen | {"encoding_errors": way}))) for way in ("keep", "strict", "replace")]
    ids = [[tokenizer.tokenize(text + b"\n").tolist() for text in texts] for tokenizer in ways]
    assert ids[0] == ids[1] == ids[2]
    assert [tokenizer.invalid for tokenizer in ways] == [0, 0, 0]


@pytest.mark.parametrize("chosen", [{"lowercase": True}, {"tokenizer": "words"}, {"token_pattern": r"\d"}], ids=str)
def test_many_stretches_and_many_tokens_in_one(chosen: dict[str, Any]) -> None:
    text = b" ".join(b"W%d-%d" % (i, i % 7) for i in range(20_000)) + b"\n" + b"1-2-3-" * 20_000 + b" x-y 5\n"
    tokenizer = Tokenizer(TextConfig(**chosen))
    for times in (1, 2):
        ids = tokenizer.tokenize(text)
        words = words_of(tokenizer.table)
        flat = expected(text, chosen)
        assert documents_of(ids.tolist(), words) == flat
        assert tokenizer.table.counts[: len(words)].sum() == times * sum(map(len, flat))


def test_a_stretch_is_transformed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    decoded = Tokenizer._decoded
    monkeypatch.setattr(Tokenizer, "_decoded", lambda self, lines: seen.append(lines) or decoded(self, lines))
    tokenizer = Tokenizer(TextConfig(lowercase=True))
    for text in (b"A b A\n", b"b A b ", b"c A\n"):
        tokenizer.tokenize(text)
    assert seen == [b"A\nb\n", b"c\n"]


def test_the_stretches_are_forgotten_when_they_grow_too_many() -> None:
    bound = 4 << 20
    tokenizer = Tokenizer(TextConfig(lowercase=True, encoding_errors="replace"), _cache_bytes=bound)
    large = Tokenizer(TextConfig(lowercase=True, encoding_errors="replace"), _cache_bytes=1 << 40)
    most = 0
    for block in range(30):
        text = b" ".join(b"Word%d" % i for i in range(block * 10_000, block * 10_000 + 15_000)) + b" \xff\n"
        assert np.array_equal(tokenizer.tokenize(text), large.tokenize(text))
        assert tokenizer.invalid == large.invalid == block + 1
        most = max(most, tokenizer.memory - tokenizer.table.memory)
    assert np.array_equal(tokenizer.table.counts, large.table.counts)
    assert words_of(tokenizer.table) == words_of(large.table)
    assert most < 3 * bound < large.memory - large.table.memory


def test_without_options_the_text_goes_straight_to_the_table() -> None:
    tokenizer = Tokenizer(TextConfig(document="none"))
    assert tokenizer.tokenize(b"a \xff\na ").tolist() == [0, 1, -1, 0]
    assert tokenizer.memory == tokenizer.table.memory
    assert tokenizer.invalid == 0
    assert invalid_tokens(tokenizer.table) == 1


def test_an_empty_text_has_no_tokens() -> None:
    for config in (TextConfig(), TextConfig(lowercase=True)):
        assert Tokenizer(config).tokenize(b"").tolist() == []


def test_no_character_becomes_a_separator_but_the_space() -> None:
    # What the tokenizer relies on: only NFKC makes blanks, and these are spaces; nothing makes or eats a line end.
    text = "a".join(map(chr, range(sys.maxunicode + 1)))
    for kept, changed in (
        (" \t\r\n", text.lower()),
        (" \t\r\n", unicodedata.normalize("NFC", text)),
        ("\t\r\n", unicodedata.normalize("NFKC", text)),
    ):
        assert [changed.count(separator) for separator in kept] == [1] * len(kept)


def test_every_kernel_has_one_signature() -> None:
    for config in (TextConfig(), TextConfig(lowercase=True), TextConfig(encoding_errors="skip-token")):
        tokenizer = Tokenizer(config)
        tokenizer.tokenize(b"a \xff b\n")
        WordTable().absorb(tokenizer.table)
        invalid_tokens(tokenizer.table)
    for kernel in (kernels.tokenize, kernels.join, kernels.expand):
        assert len(kernel.signatures) == 1


# --- bytes that are not UTF-8 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("invalid", INVALID)
def test_invalid_bytes_are_kept_or_refused_or_replaced_or_left_out(invalid: bytes) -> None:
    text = b"good x" + invalid + b" \xc3\xa9 x" + invalid + b" x" + invalid + b"y\n"
    got = {}
    for way in ("keep", "replace", "skip-token"):
        tokenizer = Tokenizer(TextConfig(lowercase=True, encoding_errors=way))
        ids = tokenizer.tokenize(text)
        got[way] = documents_of(ids.tolist(), words_of(tokenizer.table))[0]
        assert (tokenizer.invalid or invalid_tokens(tokenizer.table)) == 3
    assert got["keep"] == text.split()
    assert got["replace"] == [word.decode("utf-8", "replace").encode() for word in text.split()]
    assert got["skip-token"] == [b"good", "é".encode()]
    with pytest.raises(InvalidTextError, match="not UTF-8") as caught:
        Tokenizer(TextConfig(encoding_errors="strict")).tokenize(text)
    assert caught.value.stretch == b"x" + invalid


def test_words_that_are_not_utf_8_are_counted_each_by_itself() -> None:
    table = WordTable()
    table.tokenize(b"\xc3 \xa9 \xc3\xa9 \xc3 ok ")  # joined without a separator, the first two would be a character
    assert invalid_tokens(table) == 3
    many = WordTable()
    many.tokenize(b"".join(b"%d%s " % (i, b"\xff" * (i % 50_000 == 0)) for i in range(2 * PIECE)))
    assert invalid_tokens(many) == 3
    assert invalid_tokens(WordTable()) == 0


# --- words ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "The well-known e.g. U.S. (don't!) O’Neill's rock 'n' roll 'quoted' dogs'",
            "The well known e g U S don't O’Neill's rock n roll quoted dogs",
        ),
        (
            "3.14 1,000,000.50 1.2.3. 5,a a.5 v2.0 $9.99 50% 10:30 1990's 2,",
            "3.14 1,000,000.50 1.2.3 5 a a 5 v2.0 9.99 50 10 30 1990 s 2",
        ),
        (
            "snake_case _emphasis_ __init__ ___ a__b H₂O m² ½ C++ @user #tag a@b.org",
            "snake_case emphasis init a__b H₂O m² ½ C user tag a b org",
        ),
        ("l’eau aujourd'hui «C’est-à-dire» col·lecció naïve", "l’eau aujourd'hui C’est à dire col·lecció naïve"),
        ("oʻzbek o‘zbek Hawaiʻi ʼn 'n", "oʻzbek o‘zbek Hawaiʻi ʼn n"),
        ("Straße, „Zitat“ – Donaudampf\u00adschiff ß", "Straße Zitat Donaudampfschiff ß"),
        ("Ελλάδα; ¿Qué? ¡Año!", "Ελλάδα Qué Año"),
        ("об’єкт, кто-то «слово»", "об’єкт кто то слово"),
        ("می\u200cخواهم کتاب\u200cها، ۱۲٫۵ ۱٬۰۰۰ سلام؟", "می\u200cخواهم کتاب\u200cها ۱۲٫۵ ۱٬۰۰۰ سلام"),
        ("כתב: צה\"ל צה״ל ג׳ירפה \"שלום\" שָׁלוֹם", "כתב צה\"ל צה״ל ג׳ירפה שלום שָׁלוֹם"),
        ("हिन्दी। क्\u200dष நன்றி, ಕಂಪ್ಯೂಟರ್\u200c അവന്\u200d.", "हिन्दी क्\u200dष நன்றி ಕಂಪ್ಯೂಟರ್\u200c അവന്\u200d"),
        ("ภาษาไทย ၊မြန်မာ။ ភាសា\u200bខ្មែរ", "ภาษาไทย မြန်မာ ភាសា ខ្មែរ"),
        ("鉴于对人权,人人生而自由。 二〇二四年", "鉴于对人权 人人生而自由 二〇二四年"),
        ("『コンピューター』 ひらがな、カタカナ", "コンピューター ひらがな カタカナ"),
        ("한국어는 (훌륭하다)!", "한국어는 훌륭하다"),
        ("አማርኛ፡ቋንቋ። \ufeffBOM e\u0301a \u0301x", "አማርኛ ቋንቋ BOM e\u0301a x"),
        ("❤\ufe0f 👨\u200d👩\u200d👧 ☺ — … ’ ' _ . \u200d \u00ad", ""),
    ],
)  # fmt: skip
def test_words_of_many_languages(text: str, words: str) -> None:
    assert tokens(text, tokenizer="words") == words.split(" " if words else None)
    assert oracle.words(text) == words.split(" " if words else None)


WORD_PIECES = st.sampled_from(list("aZé0٣Ⅷ²ß人ก.,٫'’·_‿-\"״׳צ\u05b0\u0301\u0d4dन\u00ad\u200c\u200d\n"))


@settings(max_examples=1500, deadline=None)
@given(st.lists(WORD_PIECES, max_size=40).map("".join))
def test_words_equal_the_oracle(text: str) -> None:
    assert tokens(text, tokenizer="words") == [word for line in text.split("\n") for word in oracle.words(line)]


def test_words_are_lowered_and_normalized_before() -> None:
    assert tokens("ΟΔΟΣ. CAFE\u0301 ﬁ\u00a0Ⅷ", tokenizer="words", lowercase=True, normalize="NFKC") == [
        "οδος", "café", "fi", "viii",
    ]  # fmt: skip


def test_invalid_bytes_part_words() -> None:
    tokenizer = Tokenizer(TextConfig(tokenizer="words"))
    tokenizer.tokenize(b"caf\xe9s \xff\xfe \xc3\xa9\xffa ")
    assert words_of(tokenizer.table) == [b"caf", b"s", "é".encode(), b"a"]


def test_words_of_hundreds_of_languages_equal_the_oracle(shared_data: SharedData) -> None:
    text = shared_data.bytes("corpora/udhr.txt").replace(b"\r", b"")
    tokenizer = Tokenizer(TextConfig(tokenizer="words"))
    ids = tokenizer.tokenize(text + b"\n")
    stretches_of = {stretch: oracle.words(stretch.decode()) for stretch in set(re.split(rb"[ \t\n]", text))}
    right = [word for stretch in re.split(rb"[ \t\n]", text) for word in stretches_of[stretch]]
    words = [word.decode() for word in words_of(tokenizer.table)]
    assert [words[i] for i in ids.tolist() if i >= 0] == right
    assert sum(unicodedata.category(word[0])[0] in "LN" for word in words) == len(words) > 80_000


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "regex", None)
    with pytest.raises(OptionError) as caught:
        Tokenizer(TextConfig(tokenizer="words"))
    assert str(caught.value) == (
        "--tokenizer words: needs the package regex. Install it with: pip install 'glove-cli[words]'."
    )
    Tokenizer(TextConfig(token_pattern=r"\w+"))


def test_long_runs_take_no_longer_than_others() -> None:
    # A pattern that went back and tried again would take hours.
    for run in ("_" * 300_000, "a" * 300_000 + "-", "1." * 150_000, "a'" * 150_000, "\u0301" * 300_000, "a_" * 150_000):
        tokens(run, tokenizer="words")


# --- patterns -------------------------------------------------------------------------------------------------------


def test_a_pattern_finds_tokens_within_stretches() -> None:
    assert tokens("a-bc d, -- ef\tg", token_pattern=r"\w\w+") == ["bc", "ef"]
    assert tokens("x=1 y=2 z", token_pattern=r"(\w)=") == ["x", "y"]
    assert tokens("aXb b", token_pattern=r"(a)|b", lowercase=True) == ["a"]
    assert tokens("a\u00a0b c", token_pattern=r".+") == ["a\u00a0b", "c"]
    assert tokens("a\u00a0b c", token_pattern=r".+", normalize="NFKC") == ["a", "b", "c"]
    assert tokens("Abc", token_pattern=r"[a-z]+", lowercase=True) == ["abc"]


def test_the_bound_is_what_was_asked_for() -> None:
    assert stretches.CACHE_BYTES == 64 * 1024 * 1024

"""Answers as Markdown in a real browser: what is shown, while it is written as well, and what is never made."""

import json
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.async_api import Browser, Page

from tests.support.page_view import view_page

RENDER = """
(text) => {
  const element = document.createElement("div");
  new MarkdownView(element).update(text, { done: true });
  return element.innerHTML;
}
"""
STREAM = """
(pieces) => {
  const paint = window.requestAnimationFrame;
  window.requestAnimationFrame = (draw) => (draw(), 0); // every piece is painted
  const element = document.createElement("div");
  const markdown = new MarkdownView(element);
  const closed = new Set();
  const observer = new MutationObserver(() => {});
  observer.observe(element, { childList: true, characterData: true, subtree: true });
  const touched = [];
  let text = "";
  for (const piece of pieces) {
    [...element.children].slice(0, -2).forEach((block) => closed.add(block));
    text += piece;
    markdown.update(text);
    for (const record of observer.takeRecords()) {
      for (const block of closed) {
        if (block.contains(record.target) || [...record.removedNodes].includes(block)) touched.push(block.outerHTML);
      }
    }
  }
  window.requestAnimationFrame = paint;
  markdown.update(text, { done: true });
  return { html: element.innerHTML, closed: closed.size, touched };
}
"""
GROWN = """
(text) => {
  const paint = window.requestAnimationFrame;
  window.requestAnimationFrame = (draw) => (draw(), 0);
  const element = document.createElement("div");
  const markdown = new MarkdownView(element);
  for (let end = 5000; end < text.length + 5000; end += 5000) markdown.update(text.slice(0, end));
  window.requestAnimationFrame = paint;
  markdown.update(text, { done: true });
  return element.innerHTML;
}
"""
LISTED = """
(texts) => {
  const names = { "": [], A: ["href", "title", "target", "rel"], OL: ["start"], TH: ["scope", "class"], TD: ["class"],
    SPAN: ["class"], DIV: ["class", "tabindex", "role", "aria-label", "data-language"], CODE: ["class"],
    PRE: ["tabindex", "role", "aria-label"], BUTTON: ["class", "type"] };
  const plain = ["P", "H3", "H4", "H5", "H6", "UL", "LI", "BLOCKQUOTE", "HR", "BR", "STRONG", "EM", "DEL", "TABLE",
    "THEAD", "TBODY", "TR"];
  const wrong = [];
  for (const text of texts) for (const done of [true, false]) {
    const element = document.createElement("div");
    const markdown = new MarkdownView(element);
    markdown.update(text, { done });
    if (!done) markdown.update(text + "x", { done: true });
    for (const each of element.querySelectorAll("*")) {
      const allowed = names[each.tagName] ?? (plain.includes(each.tagName) ? [] : null);
      const strange = allowed === null || [...each.attributes].some(({ name }) => !allowed.includes(name));
      const away = each.tagName === "A" && !["http:", "https:", "mailto:"].includes(each.protocol);
      if (strange || away) wrong.push(each.outerHTML);
    }
  }
  return wrong;
}
"""
ANSWER = """## Bread

A loaf needs **time** and *a warm corner*.

1. Feed the starter
2. Mix
   - fold **four times**
   - rest

3. Bake

| Step | Time |
|------|-----:|
| Rise | 4 h |

> A wet dough is a kind dough.

```python
def share(water, flour):
    return 100 * water / flour
```

- [x] flour
- [ ] water

See [the page](https://example.org/bread).
"""
REL = 'target="_blank" rel="noopener noreferrer nofollow"'


def link(address: str, words: str) -> str:
    return f'<a href="{address}" title="{address}" {REL}>{words}</a>'


@pytest.fixture(scope="module")
async def page(view_browser: Browser, view_url: str) -> AsyncIterator[Page]:
    """The page, open for all of these tests."""
    async with view_page(view_browser, view_url) as page:
        yield page


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("plain", "<p>plain</p>"),
        ("**b** *i* __b__ _i_ ~~d~~", None),
        ("***both***", "<p><em><strong>both</strong></em></p>"),
        ("**a *b* c**", "<p><strong>a <em>b</em> c</strong></p>"),
        ("snake_case_name and 5 * 3 * 2", "<p>snake_case_name and 5 * 3 * 2</p>"),
        ("costs $5 and $6, \\(x\\), $$y$$", "<p>costs $5 and $6, (x), $$y$$</p>"),
        ("**「重要」**です", "<p><strong>「重要」</strong>です</p>"),
        ("\\*not\\* a\\b", "<p>*not* a\\b</p>"),
        ("**open", "<p>**open</p>"),
        ("`a*b*c` ``x ` y``", "<p><code>a*b*c</code> <code>x ` y</code></p>"),
        ("`open", "<p>`open</p>"),
        ("&lt;b&gt; &amp; &#228; &nope; AT&T", "<p>&lt;b&gt; &amp; ä &amp;nope; AT&amp;T</p>"),
        ("one\ntwo  \nthree\\\nfour", "<p>one<br>two<br>three<br>four</p>"),
        (
            "<b onclick=x>no</b><script>x</script>",
            "<p>&lt;b onclick=x&gt;no&lt;/b&gt;&lt;script&gt;x&lt;/script&gt;</p>",
        ),
        ("# A\n## B\n### C\n## D\n# E #", "<h3>A</h3><h4>B</h4><h5>C</h5><h4>D</h4><h3>E</h3>"),
        ("## Only\n#hash", "<h3>Only</h3><p>#hash</p>"),
        ("Title\n=====\nSub\n---\ntext", "<h3>Title</h3><h4>Sub</h4><p>text</p>"),
        ("a\n\n***\n\nb", "<p>a</p><hr><p>b</p>"),
        ("- a\n- b\n  - c\n    - d", "<ul><li>a</li><li>b<ul><li>c<ul><li>d</li></ul></li></ul></li></ul>"),
        ("* a\n\n* b\n\n  more\n\nend", "<ul><li>a</li><li>b<p>more</p></li></ul><p>end</p>"),
        ("1. a\n  - x\n2. b", "<ol><li>a<ul><li>x</li></ul></li><li>b</li></ol>"),
        ("3) a\n4) b", '<ol start="3"><li>a</li><li>b</li></ol>'),
        ("It was\n2020. Then", "<p>It was<br>2020. Then</p>"),
        ("- [x] t\n- [ ] u", None),
        ("> a\n> b\nlazy\n\nafter", "<blockquote><p>a<br>b<br>lazy</p></blockquote><p>after</p>"),
        ("> - a\n> > b", "<blockquote><ul><li>a</li></ul><blockquote><p>b</p></blockquote></blockquote>"),
        ("[l](https://x.org/a(b) 'title')", f"<p>{link('https://x.org/a(b)', 'l')}</p>"),
        (
            "[**l** `c`](<https://x.org/a b>)",
            f"<p>{link('https://x.org/a%20b', '<strong>l</strong> <code>c</code>')}</p>",
        ),
        ("![image](http://x.org/i.png)", f"<p>{link('http://x.org/i.png', 'image')}</p>"),
        ("![](http://x.org/i.png)", f"<p>{link('http://x.org/i.png', 'http://x.org/i.png')}</p>"),
        ("(see https://x.org/a_b_c.)", f"<p>(see {link('https://x.org/a_b_c', 'https://x.org/a_b_c')}.)</p>"),
        ("www.x.org、次", f"<p>{link('https://www.x.org/', 'www.x.org')}、次</p>"),
        ("me@x.org <a@b.org>", f"<p>{link('mailto:me@x.org', 'me@x.org')} {link('mailto:a@b.org', 'a@b.org')}</p>"),
        ("[up](../x) [there](/y) [top](#z)", "<p>up there top</p>"),
        ("[1] and [a][b] and [x] (y)", "<p>[1] and [a][b] and [x] (y)</p>"),
        ("a | b\n--|--\n1 | 2 | 3\n4", None),
        ("a | b\nno table", "<p>a | b<br>no table</p>"),
    ],
)
async def test_what_is_shown(page: Page, text: str, html: str | None) -> None:
    others = {
        "**b** *i*": "<p><strong>b</strong> <em>i</em> <strong>b</strong> <em>i</em> <del>d</del></p>",
        "- [x] t": '<ul><li><span class="task ticked">☑</span>t</li><li><span class="task">☐</span>u</li></ul>',
        "a | b\n--": '<div class="scroller" tabindex="0" role="region" aria-label="Table"><table>'
        '<thead><tr><th scope="col">a</th><th scope="col">b</th></tr></thead>'
        "<tbody><tr><td>1</td><td>2</td></tr><tr><td>4</td></tr></tbody></table></div>",
    }
    expected = html or next(shown for begin, shown in others.items() if text.startswith(begin))
    assert await page.evaluate(RENDER, text) == expected


async def test_a_table_s_columns_have_their_sides(page: Page) -> None:
    html = await page.evaluate(RENDER, "|l|c|r|\n|:-|:-:|-:|\n|`a|b`|x\\|y|1<br>2|")
    assert '<th scope="col">l</th><th scope="col" class="center">c</th><th scope="col" class="right">r</th>' in html
    assert '<td><code>a|b</code></td><td class="center">x|y</td><td class="right">1<br>2</td>' in html


async def test_code_names_its_language_and_can_be_copied(page: Page) -> None:
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.evaluate(
        """() => {
          const element = document.createElement("div");
          document.getElementById("log").append(element);
          const text = "1. a\\n\\n   ~~~python\\n   if x:\\n       `y`\\n   ~~~\\n";
          new MarkdownView(element, view.announce).update(text, { done: true });
        }"""
    )
    assert await page.locator(".language").inner_text() == "python"
    assert await page.get_by_role("region", name="Code: python").get_attribute("tabindex") == "0"
    await page.get_by_role("button", name="Copy", exact=True).click()
    await page.get_by_role("button", name="Copied").wait_for()
    assert await page.evaluate("navigator.clipboard.readText()") == "if x:\n    `y`"
    assert await page.locator("#announced").inner_text() == "Copied"
    await page.get_by_role("button", name="Copy", exact=True).wait_for()
    await page.evaluate("view.clear()")


@pytest.mark.parametrize("size", [1, 3, 17])
async def test_what_is_whole_stays_while_more_is_written(page: Page, size: int) -> None:
    pieces = [ANSWER[at : at + size] for at in range(0, len(ANSWER), size)]
    found = await page.evaluate(STREAM, pieces)
    assert found["touched"] == []
    assert found["closed"] >= 6
    assert found["html"] == await page.evaluate(RENDER, ANSWER)


async def test_what_has_begun_is_taken_as_meant(page: Page) -> None:
    script = """(texts) => texts.map((text) => {
      const element = document.createElement("div");
      const paint = window.requestAnimationFrame;
      window.requestAnimationFrame = (draw) => (draw(), 0);
      new MarkdownView(element).update(text);
      window.requestAnimationFrame = paint;
      return element.innerHTML;
    })"""
    begun = ["a **b", "a **b *c", "a **b*", "`co", "~~d", "see [the page](https://exa", "**", "```py\nx = 1"]
    shown = await page.evaluate(script, begun)
    assert shown[:7] == [
        "<p>a <strong>b</strong></p>",
        "<p>a <strong>b <em>c</em></strong></p>",
        "<p>a <strong>b</strong></p>",
        "<p><code>co</code></p>",
        "<p><del>d</del></p>",
        "<p>see the page</p>",
        "<p></p>",
    ]
    assert shown[7].endswith("<code>x = 1</code></pre></div>")


async def test_another_text_takes_its_place(page: Page) -> None:
    script = """(texts) => {
      const element = document.createElement("div");
      const markdown = new MarkdownView(element);
      for (const text of texts) markdown.update(text, { done: true });
      return element.innerHTML;
    }"""
    html = await page.evaluate(script, ["# A\n\n- b\n\n```\nc\n```\n", "- **x**\n\n# A\n\nend\n"])
    assert html == "<ul><li><strong>x</strong></li></ul><h3>A</h3><p>end</p>"


async def test_it_is_painted_once_a_frame(page: Page) -> None:
    painted = await page.evaluate(
        """() => new Promise((resolve) => {
          const element = document.createElement("div");
          let changes = 0;
          new MutationObserver((records) => { changes += records.length; }).observe(element, { childList: true });
          const markdown = new MarkdownView(element);
          for (let n = 1; n <= 50; n++) markdown.update("word ".repeat(n));
          requestAnimationFrame(() => setTimeout(() => resolve([changes, element.textContent.length])));
        })"""
    )
    assert painted == [1, 249]


@pytest.mark.parametrize(
    ("heard", "dimmed"),
    [
        (0, "A loaf.Then rest."),
        (7, "f.Then rest."),
        (10, ".Then rest."),
        (11, "Then rest."),
        (15, "Then rest."),
        (99, ""),
    ],
)
async def test_what_was_not_heard_is_dimmed(page: Page, heard: int, dimmed: str) -> None:
    script = """([text, heard]) => {
      const element = document.createElement("div");
      const markdown = new MarkdownView(element);
      markdown.update(text);
      markdown.update(text, { done: true, heard });
      return [element.textContent, [...element.querySelectorAll(".unheard")].map((each) => each.textContent).join("")];
    }"""
    text = "A **loaf**.\n\n- Then *rest*.\n"
    whole, found = await page.evaluate(script, [text, heard])
    assert whole == "A loaf.Then rest."
    assert found == dimmed


# Hostile text

SCHEMES = [
    *(
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        "java\nscript:alert(1)",
        "\x01javascript:x",
    ),
    *("javascript&#58;alert(1)", "javascript&colon;alert(1)", "&#106;avascript:alert(1)", "&#x6A;avascript:x"),
    *("data:text/html,<script>x</script>", "data:text/html;base64,eA==", "vbscript:x", "file:///etc/passwd"),
    *("//evil.example", "\\\\evil.example", "blob:x", "about:blank", "view-source:https://x.org", " javascript:x"),
    *("javascript://x.org/%0aalert(1)", "jav\\ascript:x", "intent://x", "tel:123", "ftp://x.org", "x:https://x.org"),
]
FORMS = [
    "[x]({})",
    "[x](<{}>)",
    "![x]({})",
    "<{}>",
    "{}",
    "[x]({} 'title')",
    "**[x]({})**",
    "- [ ] [x]({})",
    "|a|\n|-|\n|[x]({})|",
]


async def test_no_address_but_of_the_web_and_of_mail(page: Page) -> None:
    texts = [form.format(address) for address in SCHEMES for form in FORMS]
    assert await page.evaluate(LISTED, texts) == []
    html = "".join([await page.evaluate(RENDER, text) for text in texts])
    assert 'href="javascript' not in html.lower()
    assert "href" not in "".join([await page.evaluate(RENDER, f"[x]({address})") for address in SCHEMES])


FRAGMENTS = st.sampled_from(
    [
        *(
            "*",
            "**",
            "_",
            "__",
            "~~",
            "`",
            "``",
            "```",
            "```js\n",
            "\n",
            "\n\n",
            "  \n",
            "- ",
            "1. ",
            "> ",
            "# ",
            "|",
            "|-|\n",
        ),
        *(
            "[",
            "](",
            ")",
            "![",
            "<",
            ">",
            "&",
            "&#0;",
            "&#x110000;",
            "\\",
            "a",
            " ",
            "é",
            "😀",
            "\u202e",
            "\x00",
            "\t",
            "---\n",
        ),
        *(
            "<script>",
            "<img src=x onerror=x>",
            "</p>",
            "javascript:x",
            "https://x.org",
            "www.x.org",
            "a@b.org",
            '" onclick="x',
        ),
        *("[x](javascript:x)", "| a | b |\n|---|---|\n", "    ", "[x] ", "===\n"),
    ]
)


@given(st.lists(st.lists(FRAGMENTS | st.text(max_size=6), max_size=40), min_size=1, max_size=8))
async def test_only_listed_elements_and_attributes_are_made(page: Page, texts: list[list[str]]) -> None:
    assert await page.evaluate(LISTED, ["".join(pieces) for pieces in texts]) == []


@given(st.lists(FRAGMENTS, max_size=30))
async def test_streamed_is_the_same_as_whole(page: Page, pieces: list[str]) -> None:
    found = await page.evaluate(STREAM, pieces)
    assert found["html"] == await page.evaluate(RENDER, "".join(pieces)), json.dumps("".join(pieces))


LARGE = {
    "one line": "word " * 20_000,
    "quotations": ">" * 1_000 + " deep",
    "lists": "".join(" " * (2 * depth) + "- a\n" for depth in range(300)),
    "one line of lists": "- " * 50_000,
    "stars": "*" * 100_000,
    "emphasis begun": "*a " * 33_000,
    "emphasis within emphasis": "*a **b " * 7_000 + "** *" * 7_000,
    "closed, not begun": "a* " * 33_000,
    "brackets": "[" * 100_000,
    "brackets in pairs": "[" * 50_000 + "]" * 50_000,
    "links begun": "[a](" * 25_000,
    "links within links": "[" * 20_000 + "](http://x)" * 7_000,
    "links closed by nothing": "[a](b" * 20_000 + ")",
    "backticks": " ".join("`" * (1 + n % 400) for n in range(500)),
    "backticks begun": "`a" * 50_000,
    "angles": "<" * 100_000,
    "addresses": "https://x.org/" + ")" * 99_000,
    "entities": "&#1" * 33_000,
    "mail": "a@" * 50_000,
    "dots": "a.b-c" * 20_000,
    "columns": "|a" * 20_000 + "\n" + "|-" * 20_000,
    "rows": "|a|b|\n|-|-|\n" + "|1|2|\n" * 16_000,
    "escapes": "\\" * 100_000,
    "rule": "- " * 49_000 + "x",
    "spaces": " " * 100_000 + "x",
    "lines": "\n" * 100_000,
    "begins of code": "```\n" * 25_000,
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", LARGE)
async def test_much_of_anything_is_shown(page: Page, kind: str) -> None:
    """Each is 100 kB; what takes longer than its length asks for ends in the browser's time limit."""
    assert await page.evaluate(LISTED, [LARGE[kind]]) == []
    assert await page.evaluate(GROWN, LARGE[kind]) == await page.evaluate(RENDER, LARGE[kind])

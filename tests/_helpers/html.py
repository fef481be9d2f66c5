"""An HTML page taken apart, its tags held against one another."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "br", "hr", "img", "input", "link", "wbr"}
Attributes = dict[str, str | None]


class Structure(HTMLParser):
    """Tags with their attributes in order, ids, addresses, headings and text; checks nesting."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, Attributes]] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.headings: list[tuple[int, str]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.ids += [value for key, value in attrs if key == "id" and value]
        self.addresses += [value for key, value in attrs if key in ("href", "src") and value]
        if tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
            self.headings.append((int(tag[1]), ""))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("script", "style"):
            return
        self.text += data
        if any(tag in ("h1", "h2", "h3", "h4", "h5", "h6") for tag in self.open):
            level, said = self.headings[-1]
            self.headings[-1] = (level, said + data)

    @property
    def tags(self) -> set[str]:
        """Every kind of element there is."""
        return {tag for tag, _ in self.elements}

    def of(self, tag: str) -> list[Attributes]:
        """The attributes of every element of a kind."""
        return [given for name, given in self.elements if name == tag]

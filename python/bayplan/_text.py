"""Text that is safe to show."""


def printable(text: str) -> str:
    """The text on one line, without characters that a terminal would obey or not show."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)

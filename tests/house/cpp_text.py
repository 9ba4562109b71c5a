"""C++ source as flat text: literals and comments blanked, brackets matched, lists split.

Every function keeps offsets: character i of a masked text stands where character i of the source
stands, so that a place found in the one can be cut from the other.
"""

import re

_LEXEME = re.compile(r"""
    (?P<comment> //(?:\\\n|[^\n])* | /\*.*?\*/ )
  | (?P<raw> \b(?:u8|[uUL])?R"(?P<mark>[^()\\\s"]{0,16})\(.*?\)(?P=mark)" )
  | (?P<literal> (?:\b(?:u8|[uUL]))?(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)+') )
  | [A-Za-z_]\w*
  | \.?[0-9](?:'?[\w.])*
""", re.DOTALL | re.VERBOSE)

_DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.MULTILINE)

_CLOSERS = {"(": ")", "[": "]", "{": "}"}


def blank(text):
    """Spaces in place of everything but line ends."""
    return re.sub(r"[^\n]", " ", text)


def _blank_lexeme(found):
    text = found.group()
    if found.lastgroup == "comment":
        return blank(text)
    if found.group("raw") or found.group("literal"):
        start = len(text) - len(text.lstrip("u8ULR"))
        return blank(text[:start]) + text[start] + blank(text[start + 1:-1]) + text[-1]
    return text


def mask(source):
    """The source with comments, directives and the inside of literals blanked.

    Of an #if whose branches are not each balanced by themselves only the first branch is kept.
    """
    text = _LEXEME.sub(_blank_lexeme, source)
    return _drop_unbalanced_branches(text)


def _drop_unbalanced_branches(text):
    """Blanks all directives, and the later branches of conditionals that share their braces."""
    dropped, stack = [], []
    for line in _DIRECTIVE.finditer(text):
        word = re.match(r"\s*#\s*(\w*)", line.group()).group(1)
        if word in ("if", "ifdef", "ifndef"):
            stack.append([line])
        elif word in ("else", "elif", "elifdef", "elifndef") and stack:
            stack[-1].append(line)
        elif word == "endif" and stack:
            marks = stack.pop() + [line]
            branches = [(one.end(), two.start()) for one, two in zip(marks, marks[1:])]
            if any(text.count("{", *span) != text.count("}", *span) for span in branches):
                dropped += branches[1:]
    for start, end in dropped:
        text = text[:start] + blank(text[start:end]) + text[end:]
    return _DIRECTIVE.sub(lambda found: blank(found.group()), text)


def match_bracket(text, start):
    """The offset just behind the bracket that closes the one at `start`; the end if none does."""
    closer, depth = _CLOSERS[text[start]], 0
    for place in range(start, len(text)):
        if text[place] == text[start]:
            depth += 1
        elif text[place] == closer:
            depth -= 1
            if depth == 0:
                return place + 1
    return len(text)


def match_angle(text, start):
    """The offset just behind the '>' that closes the '<' at `start`; the end if none does."""
    depth, place = 0, start
    while place < len(text):
        character = text[place]
        if character in _CLOSERS:
            place = match_bracket(text, place)
            continue
        if character == "<":
            depth += 1
        elif character == ">" and text[place - 1] != "-":
            depth -= 1
            if depth == 0:
                return place + 1
        place += 1
    return len(text)


def top_level(text):
    """Yields (offset, character) outside of every bracket, angle brackets of templates included.

    An opening bracket is yielded, what it holds and its closing partner are not. After a single '='
    angle brackets are comparisons and no longer matched.
    """
    place, in_value = 0, False
    while place < len(text):
        character = text[place]
        if character == "=" and text[place - 1:place] not in ("<", ">", "!", "=") and \
                text[place + 1:place + 2] != "=":
            in_value = True
        yield place, character
        if character in _CLOSERS:
            place = match_bracket(text, place)
        elif character == "<" and not in_value:
            place = match_angle(text, place)
        else:
            place += 1


def split_list(text):
    """Splits at the commas outside of every bracket, and strips the parts."""
    parts, start = [], 0
    for place, character in top_level(text):
        if character == ",":
            parts.append(text[start:place].strip())
            start = place + 1
    parts.append(text[start:].strip())
    return [part for part in parts if part]


def squeeze(text):
    """The text with every run of white space made one space."""
    return " ".join(text.split())

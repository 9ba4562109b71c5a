"""Finds definitions in C++ sources: where each function's body, each constant's value stands.

A reasonable reader of our own style, not a compiler: it follows namespaces, classes, templates,
out-of-line members, initialiser lists and operators, and looks at declarations only. What stands
inside a function is not looked into.
"""

import dataclasses
import pathlib
import re

from cpp_text import mask, match_angle, match_bracket, split_list, squeeze, top_level

_NOT_A_NAME = {"decltype", "alignas", "explicit", "requires", "noexcept", "throw", "static_assert",
               "__attribute__", "sizeof", "if", "operator", "void", "bool", "int", "double", "auto"}
_SPECIFIER = re.compile(r"\b(?:inline|static|constexpr|consteval|constinit|virtual|explicit|friend|"
                        r"extern|mutable|thread_local|typedef|WEFT_\w+)\b(?:\s*\([^()]*\))?")
_ATTRIBUTE = re.compile(r"\[\[.*?\]\]", re.DOTALL)
_CLASS_KEY = re.compile(r"(?:typedef\s+|friend\s+)?(class|struct|union)\b")
_LEADING_MACROS = re.compile(r"^(?:WEFT_\w+\s*(?:\([^()]*\)\s*)?)+")
# "requires requires (T t) {" opens requirements; "requires (condition) {" opens a body.
_REQUIREMENTS = re.compile(r"(?:\brequires|=|&&|\|\||!)\s*\brequires\s*(?:\([^{}]*\))?$")
_ENUM = re.compile(r"(?:typedef\s+)?enum\b(?:\s+class\b|\s+struct\b)?([^:{]*)")


@dataclasses.dataclass(frozen=True)
class Definition:
    """One name that a source gives a meaning to. Spans are offsets into the file's text."""

    name: str                    # weft::queue::Queue::put, without template arguments
    kind: str                    # function, declaration, type, alias, constant, data, enumerator
    path: pathlib.Path
    scope: str                   # the namespace or class in which it is written
    body: tuple = (0, 0)         # braces of a function included; the value of a constant
    init: tuple = (0, 0)         # a constructor's list, from its colon to its body
    params: str = ""
    returns: str = ""            # nothing for constructors and destructors
    static: bool = False
    tail: str = ""               # what follows a declaration's parameters: = default, = 0, const
    target: str = ""             # of an alias what it stands for, of a type its bases

    @property
    def short(self):
        """The last part of the name."""
        return self.name.rpartition("::")[2]


@dataclasses.dataclass(frozen=True)
class Declarator:
    """Where a function's name and parameters stand in the text before its body."""

    name: str
    start: int
    params: tuple


def join(*parts):
    """Names put together with '::', empty ones left out."""
    return "::".join(part for part in parts if part)


def _name_before(head, end):
    """The (possibly qualified) name that ends at `end`, and where it begins."""
    names, place = [], end
    while True:
        stop = len(head[:place].rstrip())
        if head[:stop].endswith(">"):
            stop = _angle_start(head, stop)
        word = re.search(r"~?[A-Za-z_]\w*\s*$", head[:stop])
        if not word:
            break
        names.insert(0, word.group().strip())
        place = word.start()
        qualifier = re.search(r"::\s*$", head[:place])
        if not qualifier:
            break
        place = qualifier.start()
    return join(*names), place


def _angle_start(head, stop):
    """The offset of the '<' whose partner is the '>' just before `stop`."""
    depth = 0
    for place in range(stop - 1, -1, -1):
        depth += (head[place] == ">") - (head[place] == "<")
        if depth == 0:
            return place
    return 0


def _operator_declarator(head):
    found = re.search(r"\boperator\b\s*(\(\s*\)|[^\s(][^(]*)", head)
    if not found or "(" not in head[found.end():]:
        return None
    symbol = squeeze(found.group(1))
    space = " " if symbol[0].isalpha() else ""
    symbol = re.sub(r"\s", "", symbol) if not space else symbol
    qualifier = re.search(r"[\w:<>,\s]*::\s*$", head[:found.start()])
    owner, start = "", found.start()
    if qualifier:
        owner, start = _name_before(head, head[:found.start()].rstrip().rfind("::"))
    opening = head.index("(", found.end())
    return Declarator(join(owner, "operator" + space + symbol), start,
                      (opening, match_bracket(head, opening)))


def find_declarator(head):
    """The function that a declaration's text declares; None if it declares none."""
    if re.search(r"\boperator\b", head):
        return _operator_declarator(head)
    for place, character in top_level(head):
        if character == "=":
            return None
        if character != "(":
            continue
        name, start = _name_before(head, place)
        last = name.rpartition("::")[2]
        if last and last not in _NOT_A_NAME and not last.startswith("WEFT_"):
            return Declarator(name, start, (place, match_bracket(head, place)))
    return None


def _after_constraint(head, place):
    """The offset behind a requires-clause's terms: names with arguments, or parentheses."""
    term = re.compile(r"\s*(?:&&|\|\|)?\s*!?(?:(\()|[\w:]+\s*(<)?)")
    joined = True
    while joined and (found := term.match(head, place)):
        place = found.end()
        if found.group(1):
            place = match_bracket(head, place - 1)
        elif found.group(2):
            place = match_angle(head, place - 1)
        joined = re.compile(r"\s*(?:&&|\|\|)").match(head, place)
    return place


def _after_templates(head):
    """The offset behind template headers, constraints and attributes that open a declaration."""
    start = re.compile(r"\s*(?:export\s+)?(?:template\s*(?=<)|(\[\[)|(requires)\b(?=\s*[\w(:!]))")
    place = 0
    while found := start.match(head, place):
        if found.group(1):
            place = match_bracket(head, found.start(1))
        elif found.group(2):
            place = _after_constraint(head, found.end())
        else:
            place = match_angle(head, head.index("<", place))
    return place


def _list_colon(head, start):
    """The offset of the single colon that opens an initialiser list behind `start`, or -1."""
    for place, character in top_level(head[start:]):
        at = start + place
        if character == ":" and head[at - 1] != ":" and head[at + 1:at + 2] != ":":
            return at
    return -1


def _has_value(head):
    return any(character == "=" for _, character in top_level(head))


class Reader:
    """Collects the definitions of one file."""

    def __init__(self, path, source):
        self.path = path
        self.text = mask(source)
        self.found = []

    def read(self):
        """Returns all definitions of the file."""
        self._scope(0, "", "")
        return self.found

    def _add(self, scope, name, kind, **rest):
        self.found.append(Definition(join(scope, name), kind, self.path, scope, **rest))

    def _scope(self, place, scope, class_name):
        """Reads declarations up to the brace that closes the scope; returns the offset behind."""
        start = place
        while place < len(self.text):
            character = self.text[place]
            if character in "([":
                place = match_bracket(self.text, place)
            elif character == "{":
                start, place = self._brace(start, place, scope, class_name)
            elif character == "}":
                return place + 1
            elif character == ";":
                self._statement(start, place, scope, class_name)
                start = place = place + 1
            elif character == ":" and self._is_access(start, place):
                start = place = place + 1
            else:
                place += 1
        return place

    def _is_access(self, start, place):
        word = self.text[start:place].strip()
        return word in ("public", "private", "protected")

    def _brace(self, start, place, scope, class_name):
        """Reads what an opening brace begins; returns the new start and place."""
        start += _after_templates(self.text[start:place])
        head = self.text[start:place]
        words, behind = _LEADING_MACROS.sub("", head.strip()), match_bracket(self.text, place)
        if _REQUIREMENTS.search(words) or words.startswith("concept "):
            return start, behind
        if re.match(r"(?:inline\s+)?namespace\b", words):
            name = re.sub(r"\b(?:inline|namespace)\b|\[\[.*?\]\]|\s", "", words)
            end = self._scope(place + 1, join(scope, name), "")
        elif words.startswith("extern") and words.endswith('"'):
            end = self._scope(place + 1, scope, "")
        elif _ENUM.match(words):
            end = self._enum(words, place, scope, behind)
        elif _has_value(head) and not re.search(r"\boperator\b", head):
            return start, behind
        elif _CLASS_KEY.match(words):
            end = self._class(words, place, scope)
        else:
            return self._function(start, place, scope, class_name)
        return end, end

    def _enum(self, words, place, scope, behind):
        name = _ENUM.match(words).group(1).strip().rpartition(" ")[2]
        self._add(scope, name, "type")
        for item in split_list(self.text[place + 1:behind - 1]):
            self._add(join(scope, name), re.match(r"\w*", item).group(), "enumerator")
        return behind

    def _class(self, words, place, scope):
        words = re.sub(r"\b(?:alignas|WEFT_\w+)\s*\([^()]*\)", " ", _ATTRIBUTE.sub(" ", words))
        colon = _list_colon(words, 0)
        bases = words[colon + 1:] if colon >= 0 else ""
        names = re.sub(r"\bfinal\s*$", "", words[:colon] if colon >= 0 else words).strip()
        name, _ = _name_before(names, len(names))
        bases = [re.sub(r"\b(?:public|protected|private|virtual)\b", "", base).strip()
                 for base in split_list(bases)]
        self._add(scope, name, "type", target=",".join(re.sub(r"<.*", "", base, flags=re.DOTALL)
                                                       for base in bases))
        return self._scope(place + 1, join(scope, name), name.rpartition("::")[2])

    def _function(self, start, place, scope, class_name):
        head, behind = self.text[start:place], match_bracket(self.text, place)
        declarator = find_declarator(head)
        if not declarator:
            return start, behind                      # a variable's braces; its ';' comes
        colon = _list_colon(head, declarator.params[1])
        if colon >= 0 and re.search(r"[\w>]$", head.rstrip()):
            return start, behind                      # a member's braces in a constructor's list
        init = (start + colon, place) if colon >= 0 else (0, 0)
        self._callable(start, head, declarator, scope, class_name, kind="function",
                       body=(place, behind), init=init)
        return behind, behind

    def _callable(self, start, head, declarator, scope, class_name, **rest):
        before, after = head[:declarator.start], head[declarator.params[1]:]
        arrow = re.search(r"->\s*(.*)", after, re.DOTALL)
        parts = declarator.name.split("::")
        owner = parts[-2] if len(parts) > 1 else class_name
        returns = squeeze(_SPECIFIER.sub(" ", _ATTRIBUTE.sub(" ", before)))
        if parts[-1].lstrip("~") == owner:
            returns = ""
        elif parts[-1].startswith("operator "):
            returns = parts[-1].removeprefix("operator ")
        elif arrow and returns == "auto":
            returns = squeeze(re.sub(r"\b(?:override|final|requires\b.*)", "", arrow.group(1)))
        params = self.text[start + declarator.params[0] + 1:start + declarator.params[1] - 1]
        self._add(scope, declarator.name, params=squeeze(params), returns=returns,
                  static=bool(re.search(r"\bstatic\b", before)), tail=squeeze(after), **rest)

    def _statement(self, start, place, scope, class_name):
        start += _after_templates(self.text[start:place])
        head = self.text[start:place]
        words = squeeze(head)
        alias = (re.fullmatch(r"using (\w+)[^=]*= (?:typename )?(.*)", words) or
                 re.fullmatch(r"namespace (\w+) = (.*)", words))
        if alias:
            self._add(scope, alias.group(1), "alias", target=re.sub(r"<.*", "", alias.group(2)))
        elif re.match(r"using (?!namespace\b|enum\b)", words):
            for target in split_list(words.removeprefix("using ")):
                target = target.removeprefix("typename ")
                self._add(scope, target.rpartition("::")[2], "alias", target=target)
        elif not re.match(r"(using|friend|template|extern template|static_assert|typedef|"
                          r"namespace)\b|$", words):
            declarator = find_declarator(head)
            if declarator:
                self._callable(start, head, declarator, scope, class_name, kind="declaration")
            elif not re.fullmatch(r"(?:(?:enum )?(?:class|struct|union)|enum)\b[^={]*", words):
                self._variable(start, place, scope, class_name)

    def _variable(self, start, place, scope, class_name):
        head, value = self.text[start:place], None
        for offset, character in top_level(head):
            if character in "={":
                value = offset
                break
        names = _ATTRIBUTE.sub(" ", head if value is None else head[:value])
        static = bool(re.search(r"\bstatic\b", names))
        names = _SPECIFIER.sub(" ", names)
        name, _ = _name_before(names, len(re.sub(r"(\[[^\]]*\]|:\s*\w+)*\s*$", "", names)))
        if not name:
            return
        kind = "data" if class_name and not static else "constant"
        body = (0, 0)
        if value is not None:
            body = (start + value + (head[value] == "="), place)
        self._add(scope, name, kind, body=body, static=static)


def read_files(paths):
    """Returns the definitions of all given files."""
    found = []
    for path in paths:
        source = pathlib.Path(path).read_text(encoding="utf-8", errors="surrogateescape")
        found += Reader(pathlib.Path(path), source).read()
    return found

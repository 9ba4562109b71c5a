"""Writes wrong bodies and values: the candidates by which a definition is taken away.

The first candidate that compiles is used. For a parameter the first is the function that ignores
what it was given, for a function the empty body or a wrong result, for a constant another value.
"""

import dataclasses
import pathlib
import re

from cpp_text import mask, split_list

_THROW = "{ throw 0; }"


@dataclasses.dataclass(frozen=True)
class Edit:
    """A place of a file, and what is written there instead."""

    path: pathlib.Path
    span: tuple
    text: str


@dataclasses.dataclass(frozen=True)
class Mutant:
    """Edits that belong together.

    A weak one fails on any call, whatever the test checks. One with `or_next` says little if it
    survives: only if the next one survives too, the row is not covered.
    """

    label: str
    edits: tuple
    weak: bool = False
    or_next: bool = False


def _wrong_results(definition, original):
    """(label, body, weak) for each way to be wrong, the plainest first."""
    returns = definition.returns
    plain = re.sub(r"\b(?:const|volatile)\b|\s", "", returns)
    if not returns or re.search(r"(?:^|\s)void$", returns):
        bodies = ["{}"]
    elif plain == "bool":
        bodies = ["{ return false; }", "{ return true; }"]
    elif returns in ("auto", "decltype(auto)", "auto&", "auto&&", "const auto&"):
        bodies = ["{ using WeftMutant = decltype([&]() -> " + returns + " " + original + "()); "
                  "if constexpr (std::is_void_v<WeftMutant>) { return; } else { "
                  "static std::remove_cvref_t<WeftMutant> wrong{}; "
                  "return static_cast<WeftMutant>(wrong); } }"]
    elif plain.endswith("&"):
        value = f"std::remove_cvref_t<{returns}>"
        owner = definition.name.split("::")[-2:-1]
        itself = not definition.static and not plain.endswith("&&") and \
            re.sub(r"<.*>", "", plain[:-1]).split("::")[-1:] == owner
        bodies = ["{ return *this; }"] if itself else []
        bodies += [f"{{ static {value} wrong{{}}; return static_cast<{returns}>(wrong); }}",
                   f"{{ {value}* nowhere = nullptr; return static_cast<{returns}>(*nowhere); }}"]
    else:
        bodies = ["{ return {}; }", f"{{ return static_cast<{returns}>(1); }}",
                  f"{{ return {returns}(); }}",
                  # For templates, some of whose instances have no empty value.
                  f"{{ if constexpr (std::is_default_constructible_v<{returns}>) {{ return "
                  f"{returns}(); }} else {{ throw 0; }} }}"]
    return [(body, body, False) for body in bodies] + [(_THROW, _THROW, True)]


def _same(one, two):
    """Whether two bodies mean the same at a glance: 'return 0' and 'return {}' do."""
    def plain(body):
        body = re.sub(r"\s", "", mask(body))
        return re.sub(r"return(?:0|0U|0L|0UL|0\.0|nullptr|std::nullopt);", "return{};", body)
    return plain(one) == plain(two)


def _function_edits(definition, source):
    """The ways to empty one function: lists of (label, edits, weak)."""
    original = source[slice(*definition.body)]
    whole = (definition.init[0] or definition.body[0], definition.body[1])
    ways = []
    for label, body, weak in _wrong_results(definition, original):
        spans = [whole, definition.body] if definition.init != (0, 0) else [whole]
        for span in spans:
            if not _same(source[slice(*span)], body):
                ways.append((label, (Edit(definition.path, span, body),), weak))
    return ways


def _constant_edits(definition, source):
    """The ways to give one constant another value."""
    original = source[slice(*definition.body)].strip()
    brace = original.startswith("{") and source[definition.body[0] - 1] != "="
    value = original[1:-1].strip() or "0" if original.startswith("{") else original
    own = f"std::remove_cvref_t<decltype({value})>"
    texts = [f"static_cast<{own}>(static_cast<long long>({value}) + 1)", f"{own}{{}}", ""]
    ways = []
    for text in texts:
        written = f"{{{text}}}" if brace or not text else f" {text}"
        if not _same(f"return {original};", f"return {written};"):
            ways.append((written.strip(), (Edit(definition.path, definition.body, written),),
                         False))
    return ways


def _parameters(definition):
    """(name, default) of each named parameter of a function."""
    for text in split_list(definition.params):
        declared, _, default = text.partition("=")
        words = re.findall(r"\w+|[^\w\s]", declared)
        if len(words) > 1 and re.fullmatch(r"[A-Za-z_]\w*", words[-1]):
            yield words[-1], default.strip(), declared


def _has_parameter(definition, wanted):
    return any(name.rstrip("_") == wanted for name, _, _ in _parameters(definition))


def _ignoring(definition, wanted, fixed):
    """(parameter, expression that stands for it when it is ignored), or None.

    A parameter is fixed to a value, nothing being its type's empty one; a member of an options
    struct to the value that the struct itself gives it.
    """
    for name, _, declared in _parameters(definition):
        if name.rstrip("_") == wanted:
            return name, f"std::remove_cvref_t<decltype({name})>{{{fixed}}}"
        if re.search(r"(?:Options|Arguments|Parameters)\b", declared):
            return name, (f"([](auto copy) {{ copy.{wanted} = decltype(copy){{}}.{wanted}; "
                          f"return copy; }}({name}))")
    return None


def _parameter_edits(definition, source, wanted, fixed):
    """One way for the function to ignore a parameter, or none if it has no such parameter."""
    found = _ignoring(definition, wanted, fixed)
    if not found:
        return []
    name, neutral = found
    body = source[slice(*definition.body)]
    edits = [Edit(definition.path, definition.body,
                  f"{{ auto weft_ignored = {neutral}; static_cast<void>(weft_ignored); "
                  f"{{ auto& {name} = weft_ignored; static_cast<void>({name}); {body} }} }}")]
    if definition.init != (0, 0):
        start, end = definition.init
        uses = re.finditer(rf"(?<![\w.>:]){re.escape(name)}\b(?!\s*[({{])",
                           mask(source)[start:end])
        edits += [Edit(definition.path, (start + use.start(), start + use.end()), neutral)
                  for use in uses]
    return [(f"{wanted} ignored" + (f", always {fixed}" if fixed else ""), tuple(edits), False)]


def _fixed_values(definitions, declarations, wanted):
    """What to fix a parameter to: its default, where one is declared, or both truth values."""
    values = [""]
    for definition in [*definitions, *declarations]:
        for name, default, declared in _parameters(definition):
            if name.rstrip("_") != wanted:
                continue
            if default:
                return ["" if default == "{}" else default]
            if re.search(r"\bbool\b", declared):
                values = ["false", "true"]
    return values


def _together(ways_of_each):
    """Mutants that change every definition at once: the first way of each, then the next."""
    ways_of_each = [ways for ways in ways_of_each if ways]
    for number in range(max(map(len, ways_of_each), default=0)):
        chosen = [ways[min(number, len(ways) - 1)] for ways in ways_of_each]
        yield Mutant(chosen[0][0], tuple(edit for _, edits, _ in chosen for edit in edits),
                     any(weak for _, _, weak in chosen))


def candidates(definitions, sources, parameter="", declarations=()):
    """The mutants for the definitions of one row, in the order in which to try them.

    `sources` maps each definition's path to its text, `declarations` may hold default arguments.
    """
    found = []
    if parameter:
        functions = [one for one in definitions if one.kind == "function"]
        functions = [one for one in functions if _has_parameter(one, parameter)] or functions
        for fixed in _fixed_values(functions, declarations, parameter):
            found += _together([_parameter_edits(one, sources[one.path], parameter, fixed)
                                for one in functions])
        found[:-1] = [dataclasses.replace(mutant, or_next=True) for mutant in found[:-1]]
    ways = []
    for definition in definitions:
        make = _constant_edits if definition.kind == "constant" else _function_edits
        ways.append(make(definition, sources[definition.path]))
    return found + list(_together(ways))


def apply(edits, sources):
    """The changed text of each file that the edits touch."""
    changed = {}
    for path in {edit.path for edit in edits}:
        text = sources[path]
        for edit in sorted((edit for edit in edits if edit.path == path),
                           key=lambda edit: edit.span, reverse=True):
            text = text[:edit.span[0]] + edit.text + text[edit.span[1]:]
        changed[path] = text
    return changed

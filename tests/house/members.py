"""Finds the C++ definitions that stand behind a row of the coverage list.

A name is looked up as a compiler would, roughly: through aliases, using-declarations and bases.
"""

import collections
import re

from cpp_bodies import join

# Python's protocols under their C++ names, the first that exists (as a whole group) wins.
PROTOCOLS = {
    "__enter__": (("lock", "unlock"), ("~",)),
    "__exit__": (("unlock",), ("~",)),
    "__del__": (("~",),),
    "__getitem__": (("operator[]",), ("at",)),
    "__setitem__": (("operator[]",), ("set",)),
    "__contains__": (("contains",),),
    "__len__": (("size",), ("length",)),
    "__iter__": (("begin",),),
    "__repr__": (("repr",),),
    "__str__": (("str",),),
    "__excepthook__": (("original_excepthook",),),
}


class NotMutable(Exception):
    """The row stands for something that has no body to take away; says what it is."""


class NotFound(Exception):
    """No definition has the name; the row's member column must give the right one."""


class Index:
    """All definitions of a source tree, by name."""

    def __init__(self, definitions):
        self.by_name = collections.defaultdict(list)
        for definition in definitions:
            self.by_name[definition.name].append(definition)

    def find(self, name, seen=frozenset()):
        """The definitions of `name`, aliases and bases followed; empty if there are none."""
        if name in seen:
            return []
        seen = seen | {name}
        own = self.by_name.get(name, [])
        real = [definition for definition in own if definition.kind != "alias"]
        if real:
            return real
        parts = name.split("::")
        for count in range(len(parts), 0, -1):
            owner, rest = "::".join(parts[:count]), parts[count:]
            for definition in self.by_name.get(owner, []):
                for target in self._targets(definition, bool(rest)):
                    tail = rest
                    if rest and rest[0].lstrip("~") == parts[count - 1]:   # its constructor
                        renamed = target.rpartition("::")[2]
                        tail = [rest[0].replace(parts[count - 1], renamed), *rest[1:]]
                    found = self.find(join(target, *tail), seen)
                    if found:
                        return found
        return own  # at most an alias of something from outside

    def _targets(self, definition, for_member):
        """Full names that an alias, or a type's bases, may stand for, the innermost first."""
        if definition.kind == "alias" or (definition.kind == "type" and for_member):
            for target in filter(None, definition.target.split(",")):
                scope = definition.scope.split("::")
                for count in range(len(scope), -1, -1):
                    yield join(*scope[:count], target.lstrip(":"))


def names_for(row):
    """Groups of C++ names that the row may stand for; the first group that exists is meant."""
    if row.members():
        return [row.members()]
    path = row.id.partition("(")[0].replace("_thread.lock.", "_thread.LockType.")
    owner, _, last = path.rpartition(".")
    scope = join("weft", *owner.split("."))
    if last in PROTOCOLS:
        short = owner.rpartition(".")[2]
        return [[join(scope, "~" + short if name == "~" else name) for name in group]
                for group in PROTOCOLS[last]]
    names = [last, last + "_", last.strip("_")]
    return [[join(scope, name)] for name in dict.fromkeys(names)]


def _with_constructor(definitions, name, index):
    """For a type its constructors, found under the type's own name."""
    if definitions and definitions[0].kind == "type":
        real = definitions[0]
        return index.find(join(real.name, real.short)) or definitions
    return definitions


def _reason(definitions):
    """Why definitions that are no functions with bodies, and no constants, cannot be changed."""
    if any(re.search(r"= (default|delete)", definition.tail) for definition in definitions):
        return "its function is defaulted or deleted"
    return {"alias": "another name of a type from outside", "type": "a type", "enumerator": "an enumerator", "data": "a data member",
            "constant": "a variable without an initial value",
            "declaration": "its function is declared, but has no body here"}[definitions[0].kind]


def resolve(row, index):
    """The functions and constants to change for the row.

    A row about a parameter of a class means the class's constructors. Raises NotFound if no name
    of the row exists, NotMutable if nothing behind it has a body or a value.
    """
    for group in names_for(row):
        found = []
        for name in group:
            definitions = index.find(name)
            if row.parameter:
                definitions = _with_constructor(definitions, name, index)
            found += definitions
        if not found:
            continue
        usable = [definition for definition in found
                  if definition.kind in ("function", "constant") and definition.body != (0, 0)]
        if not usable:
            raise NotMutable(_reason(found))
        return usable
    raise NotFound("none of " + ", ".join(name for group in names_for(row) for name in group) +
                   " is defined in include/ or src/: name it in the member column")

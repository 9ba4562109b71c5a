#!/usr/bin/env python3
"""Proves that mutants.py offers the right wrong bodies, in the right order."""

import pathlib
import unittest

import mutants
from cpp_bodies import Reader


class Candidates(unittest.TestCase):
    """The texts that are tried, in order."""

    def mutants(self, source, parameter=""):
        path = pathlib.Path("a.hpp")
        found = Reader(path, source).read()
        definitions = [one for one in found if one.kind in ("function", "constant")]
        declarations = [one for one in found if one.kind == "declaration"]
        return path, mutants.candidates(definitions, {path: source}, parameter, declarations)

    def bodies(self, source, parameter=""):
        path, found = self.mutants(source, parameter)
        return [next(iter(mutants.apply(one.edits, {path: source}).values())) for one in found]

    def test_void_is_emptied(self):
        self.assertEqual(self.bodies("void f() { g(); }")[0], "void f() {}")

    def test_body_that_is_wrong_already_is_not_offered(self):
        self.assertEqual(self.bodies("bool f() { return false; }")[0], "bool f() { return true; }")
        self.assertEqual(self.bodies("int f() { return 0; }")[0],
                         "int f() { return static_cast<int>(1); }")
        self.assertEqual(self.bodies("void f() {}"), ["void f() { throw 0; }"])

    def test_constructor_loses_its_list_first(self):
        self.assertEqual(self.bodies("struct A { A() : a(1) { g(); } };")[:2],
                         ["struct A { A() {} };", "struct A { A() : a(1) {} };"])

    def test_reference_is_a_static_or_the_object(self):
        self.assertIn("static std::remove_cvref_t<int&> wrong{};",
                      self.bodies("int& f() { return g(); }")[0])
        self.assertEqual(self.bodies("struct A { A& f() { return g(); } };")[0],
                         "struct A { A& f() { return *this; } };")

    def test_overloads_change_together(self):
        self.assertEqual(self.bodies("void f() { g(); } bool f(int) { return h(); }")[0],
                         "void f() {} bool f(int) { return false; }")

    def test_last_resort_throws_and_is_called_weak(self):
        _, found = self.mutants("A f() { return g(); }")
        self.assertEqual([mutant.weak for mutant in found], [False] * (len(found) - 1) + [True])
        self.assertEqual(found[-1].label, "{ throw 0; }")
        self.assertIn("if constexpr (std::is_default_constructible_v<A>)", found[-2].label)

    def test_deduced_result_keeps_its_type(self):
        self.assertIn("decltype([&]() -> auto { return g(); }())",
                      self.bodies("auto f() { return g(); }")[0])

    def test_constant_becomes_another_value(self):
        self.assertEqual(self.bodies("constexpr int k = 3;")[0],
                         "constexpr int k = static_cast<std::remove_cvref_t<decltype(3)>>("
                         "static_cast<long long>(3) + 1);")
        self.assertEqual(self.bodies("constexpr Kind k{1, 2};")[-1], "constexpr Kind k{};")

    def test_parameter_is_fixed_to_its_default_wherever_that_is_declared(self):
        ignored = "{ auto weft_ignored = std::remove_cvref_t<decltype(n)>{1}; "
        self.assertIn(ignored, self.bodies("void f(int n = 1) { g(n); }", "n")[0])
        self.assertIn(ignored, self.bodies("void f(int n = 1); void f(int n) { g(n); }", "n")[0])

    def test_truth_without_a_default_is_fixed_both_ways(self):
        _, found = self.mutants("void f(std::same_as<bool> auto block) { g(block); }", "block")
        self.assertEqual([(mutant.label, mutant.or_next) for mutant in found[:2]],
                         [("block ignored, always false", True),
                          ("block ignored, always true", False)])

    def test_parameter_is_ignored_in_a_constructor_list_too(self):
        self.assertIn("A(int n) : n(std::remove_cvref_t<decltype(n)>{}), m(b.n)",
                      self.bodies("struct A { A(int n) : n(n), m(b.n) {} };", "n")[0])

    def test_member_of_options_takes_the_struct_s_own_value(self):
        self.assertIn("copy.name = decltype(copy){}.name; return copy; }(options)",
                      self.bodies("void f(RunOptions options) { g(options); }", "name")[0])

    def test_parameter_of_no_function_leaves_the_bodies(self):
        self.assertEqual(self.bodies("void f(int n) { g(n); }", "other")[0], "void f(int n) {}")


if __name__ == "__main__":
    unittest.main()

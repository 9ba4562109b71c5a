#!/usr/bin/env python3
"""Proves that the reader of C++ finds each kind of definition, and the right one for each row."""

import pathlib
import unittest

import cpp_bodies
import members
from coverage_list import Row
from cpp_text import mask, split_list

SOURCE = r'''
#pragma once
#include "weft/{broken.hpp"
#define BRACE {
// a brace in a comment: {
namespace weft::threading {
/* another { one */
inline namespace v1 { }
const char* const kText = R"x(a raw } " string)x";
inline constexpr double TIMEOUT_MAX = 9'223'372'036.0;
constexpr char kBrace = '{';
using Lock = _thread::LockType;
using detail::Base::helper;
enum class State : int { kIdle, kBusy = 2 };
[[nodiscard]] inline bool is_main(const char* name = "}") noexcept { return name != nullptr; }
template <class T, class U = std::map<int, T>>
    requires std::integral<T> && (sizeof(T) > 1)
auto convert(T value) -> std::vector<T> { return {value}; }
template <class F> concept callable = requires(F f) { { f() } -> std::same_as<int>; };
template <class F> void call(F&& f) requires requires(F g) { g(); } { f(); }
template <class F> void twice(F&& f) requires (sizeof(F) > 1) { f(); f(); }
#if defined(__linux__)
int id() {
#else
long id() {
#endif
  return 1; }
class WEFT_CAPABILITY("mutex") WEFT_API Semaphore final : public Base<int, 2>, private Other {
public:
    explicit Semaphore(int value = 1) : value_(value), list_{1, 2}, pair_{}, Base<int, 2>{3} {
        use('}');
    }
    Semaphore(const Semaphore&) = delete;
    ~Semaphore() noexcept;
    void release(std::map<int, int> n = {}) WEFT_RELEASE() { value_ = 0; }
    virtual bool locked() const = 0;
    bool try_lock();
    explicit operator bool() const { return true; }
    int operator()(int x) const { return x; }
    bool operator<(const Semaphore& other) const { return value_ < other.value_; }
    auto operator<=>(const Semaphore&) const = default;
    Semaphore& operator=(Semaphore&&) noexcept { return *this; }
    friend bool operator==(const Semaphore&, const Semaphore&) { return true; }
    static constexpr int kLimit{7};
    std::function<bool(int)> check_;
    struct Inner { int depth() const { return 1; } };
    int size() const& { return 2; }
private:
    int value_ WEFT_GUARDED_BY(lock_) = 0;
    std::atomic<int> counter_{0};
    int after() { return 1; }
};
bool Semaphore::try_lock() { return [&] { return value_ > 0; }(); }
Semaphore::~Semaphore() noexcept { release(); }
template <class T> T& Queue<T>::front() { return items_[0]; }
template <class T> Queue<T>::Queue(int n) : items_(n) {}
template <class T> bool Queue<T>::operator!() const { return false; }
namespace { int hidden() { return 1; } }
}  // namespace weft::threading
extern "C" { void weft_entry(void) { } }
namespace weft::_thread {
class LockType { public: void acquire() { take(); } LockType() : word_(0) { } };
class Child : public weft::_thread::LockType { public: void own() { take(); } };
struct Record { int count = 0; };
}
'''


def found_in(source):
    """Maps each name to its definitions."""
    index = members.Index(cpp_bodies.Reader(pathlib.Path("a.hpp"), source).read())
    return index, index.by_name


class Reading(unittest.TestCase):
    """What the reader makes of SOURCE."""

    @classmethod
    def setUpClass(cls):
        cls.index, cls.by_name = found_in(SOURCE)

    def one(self, name):
        definitions = self.by_name["weft::threading::" + name]
        self.assertEqual(len(definitions), 1, (name, definitions))
        return definitions[0]

    def body(self, name):
        return " ".join(SOURCE[slice(*self.one(name).body)].split())

    def test_mask_keeps_every_offset(self):
        text = mask(SOURCE)
        self.assertEqual(len(text), len(SOURCE))
        self.assertEqual(text.count("\n"), SOURCE.count("\n"))
        self.assertEqual(text.count("{"), text.count("}"))

    def test_nothing_else_is_found(self):
        self.assertEqual({name for name, found in self.by_name.items()
                          if any(one.kind == "function" for one in found)}, {
            *("weft::threading::" + name for name in (
                "is_main", "convert", "call", "twice", "id", "hidden", "Semaphore::Semaphore",
                "Semaphore::~Semaphore", "Semaphore::release", "Semaphore::operator bool",
                "Semaphore::operator()", "Semaphore::operator<", "Semaphore::operator=",
                "Semaphore::operator==", "Semaphore::Inner::depth", "Semaphore::size",
                "Semaphore::after", "Semaphore::try_lock", "Queue::front", "Queue::Queue",
                "Queue::operator!")),
            "weft_entry", "weft::_thread::LockType::acquire", "weft::_thread::LockType::LockType",
            "weft::_thread::Child::own"})

    def test_bodies(self):
        for name, body in {
                "is_main": "{ return name != nullptr; }",
                "convert": "{ return {value}; }",
                "call": "{ f(); }",
                "twice": "{ f(); f(); }",
                "Semaphore::Semaphore": "{ use('}'); }",
                "Semaphore::release": "{ value_ = 0; }",
                "Semaphore::operator bool": "{ return true; }",
                "Semaphore::operator()": "{ return x; }",
                "Semaphore::operator=": "{ return *this; }",
                "Semaphore::size": "{ return 2; }",
                "Semaphore::Inner::depth": "{ return 1; }",
                "Semaphore::~Semaphore": "{ release(); }",
                "Queue::front": "{ return items_[0]; }"}.items():
            with self.subTest(name=name):
                definitions = [one for one in self.by_name["weft::threading::" + name]
                               if one.kind == "function"]
                self.assertEqual(len(definitions), 1)
                self.assertEqual(" ".join(SOURCE[slice(*definitions[0].body)].split()), body)

    def test_return_types(self):
        for name, returns in {
                "is_main": "bool", "convert": "std::vector<T>", "Queue::front": "T&",
                "Semaphore::operator bool": "bool", "Semaphore::operator=": "Semaphore&",
                "Queue::Queue": "", "Semaphore::after": "int", "call": "void"}.items():
            with self.subTest(name=name):
                self.assertEqual(self.one(name).returns, returns)

    def test_constructor_list_goes_from_colon_to_body(self):
        constructor = [one for one in self.by_name["weft::threading::Semaphore::Semaphore"]
                       if one.kind == "function"][0]
        self.assertEqual(SOURCE[slice(*constructor.init)].strip(),
                         ": value_(value), list_{1, 2}, pair_{}, Base<int, 2>{3}")
        self.assertEqual(constructor.params, "int value = 1")
        self.assertEqual(self.one("Queue::Queue").init[1], self.one("Queue::Queue").body[0])

    def test_constants_data_and_enumerators(self):
        self.assertEqual(self.one("TIMEOUT_MAX").kind, "constant")
        self.assertEqual(self.body("TIMEOUT_MAX"), "9'223'372'036.0")
        self.assertEqual(self.body("Semaphore::kLimit"), "{7}")
        for name in ("value_", "counter_", "check_"):
            self.assertEqual(self.one("Semaphore::" + name).kind, "data")
        self.assertEqual(self.one("State::kBusy").kind, "enumerator")

    def test_lists_are_split_outside_of_brackets(self):
        self.assertEqual(split_list("std::map<int, T> a = {1, 2}, int (*f)(int, int), int c = 3"),
                         ["std::map<int, T> a = {1, 2}", "int (*f)(int, int)", "int c = 3"])


class Resolving(unittest.TestCase):
    """Which definitions a row means."""

    @classmethod
    def setUpClass(cls):
        cls.index, cls.by_name = found_in(SOURCE)

    def names(self, row_id, member=""):
        row = Row(1, "threading", row_id, "test:A.B", "", member)
        return [one.name.removeprefix("weft::") for one in members.resolve(row, self.index)]

    def test_method_of_the_class(self):
        self.assertEqual(self.names("threading.Semaphore.release"),
                         ["threading::Semaphore::release"])

    def test_parameter_means_its_function(self):
        self.assertEqual(self.names("threading.Semaphore.release(n)"),
                         ["threading::Semaphore::release"])

    def test_parameter_of_a_class_means_its_constructors(self):
        self.assertEqual(self.names("threading.Semaphore(value)"),
                         ["threading::Semaphore::Semaphore"])
        self.assertEqual(self.names("threading.Lock(value)"), ["_thread::LockType::LockType"])

    def test_aliases_and_bases_are_followed(self):
        for row_id in ("threading.Lock.acquire", "_thread.lock.acquire", "_thread.Child.acquire"):
            self.assertEqual(self.names(row_id), ["_thread::LockType::acquire"])

    def test_protocols(self):
        self.assertEqual(self.names("threading.Semaphore.__enter__"),
                         ["threading::Semaphore::~Semaphore"])
        self.assertEqual(self.names("threading.Semaphore.__len__"), ["threading::Semaphore::size"])

    def test_member_column_wins(self):
        self.assertEqual(self.names("threading.Event.set", "weft::threading::call, "
                                    "weft::threading::Semaphore::operator bool"),
                         ["threading::call", "threading::Semaphore::operator bool"])

    def test_constant(self):
        self.assertEqual(self.names("threading.TIMEOUT_MAX"), ["threading::TIMEOUT_MAX"])

    def test_what_has_no_body_says_why(self):
        for row_id, member, reason in (
                ("threading.Semaphore", "", "a type"),
                ("threading.Lock", "", "a type"),
                ("threading.Semaphore.locked", "", "no body here"),
                ("threading.State", "weft::threading::State::kIdle", "an enumerator"),
                ("_thread.Record.count", "", "a data member"),
                ("x", "weft::threading::Semaphore::operator<=>", "defaulted")):
            with self.subTest(row_id=row_id):
                with self.assertRaisesRegex(members.NotMutable, reason):
                    self.names(row_id, member)

    def test_unknown_name(self):
        with self.assertRaisesRegex(members.NotFound, "weft::threading::Semaphore::vanish"):
            self.names("threading.Semaphore.vanish")


if __name__ == "__main__":
    unittest.main()

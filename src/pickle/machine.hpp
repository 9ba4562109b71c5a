#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <weft/pickle/detail/opcodes.hpp>
#include <weft/pickle/options.hpp>

#include "pickle/node.hpp"

namespace weft::pickle::detail {

/// The pickle machine, for protocols 0 to 5: a stack, marks in it, and a memo. It makes a graph of
/// values in an arena and calls nothing.
///
/// State: the input (which the arena holds, so that texts point into it), the place in it, the
/// stack with the places of its marks, and the memo. Each opcode takes at least one byte and makes
/// at most one node, and every length is compared with what is left of the input before it is
/// believed; what keys cost is counted, and what is copied. So time and memory are linear in the
/// input. There is no recursion here; how deep values are nested is counted as they are put
/// together, and once more at the end where something was put together from the outside in.
///
/// An error throws, and leaves everything to the arena's end.
class Machine {
public:
    Machine(Arena& arena, const LoadOptions& options);
    /// Runs from PROTO to STOP and gives the value on top of the stack.
    Item run();

private:
    // machine.cpp: the loop, the stack and the memo
    Item run_steps();
    bool step(Opcode code);
    bool step_values(Opcode code);
    bool step_containers(Opcode code);
    bool step_objects(Opcode code);
    bool step_old(Opcode code);
    [[noreturn]] void fail(const std::string& what) const;
    void push(const Item& item) { stack_.push_back(item); }
    Item pop();
    Item& top();
    std::size_t pop_mark();
    void put(std::uint64_t number);
    void get(std::uint64_t number);

    // machine.cpp: the input
    std::string_view take(std::size_t size);
    std::string_view take_line();
    template <class Unsigned>
    Unsigned take_number();
    std::string_view take_sized(std::size_t width);

    // machine_values.cpp
    void push_text(std::string_view wire);
    void push_bytes(std::string_view raw);
    void push_integer(std::string_view little_endian);
    void push_real(double value);
    void push_int_line(std::string_view line);
    void push_float_line(std::string_view line);
    void push_quoted_line(std::string_view line);
    void push_escaped_line(std::string_view line);
    void push_old_bytes(std::string_view raw);
    void push_buffer();
    void push_tuple(std::size_t first);
    void push_items(Kind kind, std::size_t first);
    void append(std::size_t first);
    void set_items(std::size_t first);
    void add_items(std::size_t first);

    // machine_objects.cpp
    void push_global(std::string_view module, std::string_view name);
    void reduce();
    void new_object(const Item& callable, const Item& args, const Item& kwargs, Form form);
    void build();
    bool apply_known(const Node& callable, const Node& args);
    bool apply_set(std::string_view name, const Node& args);
    bool apply_bytes(std::string_view name, const Node& args);
    bool apply_encode(const Node& args);
    bool apply_array(const Node& args);
    bool apply_rebuild_array(const Node& args);

    Node& make(Kind kind);
    /// Counts memory that something takes beyond what its own opcodes justify.
    void charge(std::size_t size);
    /// Notes that `inner` is now in `outer`, one deeper.
    void deepen(Node& outer, const Item& inner);
    /// Looks for the depth of a graph whose nodes were put into others before they were whole.
    void measure(const Item& root);
    [[noreturn]] void fail_depth() const;

    Arena& arena_;
    const LoadOptions& options_;
    std::string_view input_;
    std::size_t next_ = 0;    ///< the place in the input
    std::size_t offset_ = 0;  ///< of the opcode that is being followed
    int opcode_ = -1;
    int protocol_ = 0;
    std::size_t buffers_taken_ = 0;
    std::vector<Item> stack_;
    std::vector<std::size_t> marks_;
    std::vector<Item> memo_;                  ///< of the numbers 0, 1, 2, ... in their turn
    std::map<std::uint64_t, Item> far_memo_;  ///< and of those out of turn
    std::size_t memoized_ = 0;                ///< how many numbers the memo has
    std::size_t copies_left_;
    Work work_;                 ///< that keys may still cost
    bool may_be_deep_ = false;  ///< something got deeper that is part of something already
};

}  // namespace weft::pickle::detail

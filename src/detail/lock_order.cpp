#include <weft/detail/lock_order.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <weft/detail/low_lock.hpp>
#include <weft/detail/thread_number.hpp>
#include <weft/unraisable.hpp>

#include "detail/describe.hpp"
#include "os/posix/stack.hpp"
#include "os/posix/thread.hpp"
#include "runtime/this_thread.hpp"
#include "runtime/thread_state.hpp"

// A graph whose nodes are locks. An edge from A to B says that some thread, holding A, was about to
// wait for B, and keeps that thread's stack. A thread that is about to wait for B while it holds A
// adds the edge, if there is none; if a way leads from B to A already, it closes a circle, which is
// reported, once because the edge is there from then on.
//
// Everything is under one lock, held while memory is allocated but never while users' code runs
// (but for an operator new of theirs): a report is given after it. What the checker itself takes,
// and what a handler of warnings takes, is not looked at.
//
// After fork the graph may be in the middle of a change: the child puts it aside and begins anew.
// Locks that the forking thread holds then are not known to be held.

namespace weft::detail {

constinit std::atomic<bool> lock_order_checked{false};

namespace {

using Lock = const void*;

constexpr std::size_t kMostEdges = 16384;
constexpr std::size_t kMostFrames = 24;
/// capture_stack() and the function that calls it.
constexpr std::size_t kOwnFrames = 2;

struct Stack {
    std::array<void*, kMostFrames> frames{};
    std::size_t count = 0;
    std::string thread;
};

struct Edge {
    Lock from = nullptr;
    Lock to = nullptr;
    Stack stack;
};

struct Node {
    std::vector<Edge> later;    ///< what was wanted while this was held
    std::vector<Lock> earlier;  ///< whose `later` leads here
};

struct Graph {
    std::uint32_t generation = fork_generation.load(std::memory_order_relaxed);
    std::unordered_map<Lock, Node> nodes;
    std::size_t edges = 0;
    bool is_full = false;
    std::unordered_map<Lock, std::uint64_t> holders;
    /// What each thread holds, in order; without threads that hold nothing.
    std::unordered_map<std::uint64_t, std::vector<Lock>> held;
    Graph* abandoned = nullptr;  ///< the parent's, kept in sight of leak checkers
};

constinit LowLock mutex;
constinit Graph* graph = nullptr;  // guarded by mutex; made by the first who needs it

constinit thread_local bool is_inside = false;

/// Keeps the checker from looking at itself.
class Inside {
public:
    Inside() noexcept : was_inside_(std::exchange(is_inside, true)) {}
    ~Inside() { is_inside = was_inside_; }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;
    [[nodiscard]] bool was_inside() const noexcept { return was_inside_; }

private:
    bool was_inside_;
};

// These are called with the mutex held.

Graph& current_graph() {
    if (graph == nullptr || graph->generation != fork_generation.load(std::memory_order_relaxed)) {
        auto* const fresh = new Graph;
        fresh->abandoned = graph;
        graph = fresh;
    }
    return *graph;
}

bool has_edge(const Graph& all, Lock from, Lock to) {
    const auto node = all.nodes.find(from);
    return node != all.nodes.end() &&
           std::ranges::any_of(node->second.later, [to](const Edge& e) { return e.to == to; });
}

/// The edges of a way from one lock to another; empty if there is none.
std::vector<Edge> find_way(const Graph& all, Lock from, Lock to) {
    std::unordered_map<Lock, const Edge*> reached_by{{from, nullptr}};
    std::vector<Lock> open{from};
    while (!open.empty() && !reached_by.contains(to)) {
        const auto node = all.nodes.find(open.back());
        open.pop_back();
        if (node == all.nodes.end()) continue;
        for (const Edge& each : node->second.later) {
            if (reached_by.emplace(each.to, &each).second) open.push_back(each.to);
        }
    }
    std::vector<Edge> way;
    if (!reached_by.contains(to)) return way;
    for (Lock here = to; here != from; here = reached_by[here]->from) {
        way.push_back(*reached_by[here]);
    }
    std::ranges::reverse(way);
    return way;
}

void add_edge(Graph& all, Edge edge) {
    Node& to = all.nodes[edge.to];
    to.earlier.reserve(to.earlier.size() + 1);
    const Lock from = edge.from;
    all.nodes[from].later.push_back(std::move(edge));
    to.earlier.push_back(from);
    ++all.edges;
}

void forget(Graph& all, Lock lock) {
    const auto found = all.nodes.find(lock);
    if (found == all.nodes.end()) return;
    for (const Edge& each : found->second.later) std::erase(all.nodes[each.to].earlier, lock);
    for (const Lock each : found->second.earlier) {
        std::erase_if(all.nodes[each].later, [lock](const Edge& e) { return e.to == lock; });
    }
    all.edges -= found->second.later.size() + found->second.earlier.size();
    all.nodes.erase(found);
}

void forget_holder(Graph& all, Lock lock) {
    const auto holder = all.holders.find(lock);
    if (holder == all.holders.end()) return;
    const auto held = all.held.find(holder->second);
    if (held != all.held.end()) {
        std::erase(held->second, lock);
        if (held->second.empty()) all.held.erase(held);
    }
    all.holders.erase(holder);
}

/// What this thread holds and has never been seen to hold while it wanted `lock`.
std::vector<Lock> new_predecessors(const Graph& all, Lock lock) {
    std::vector<Lock> found;
    const auto held = all.held.find(this_thread_number());
    if (held == all.held.end()) return found;
    for (const Lock each : held->second) {
        // Whoever waits for a lock that he has taken himself waits for another to release it.
        if (each != lock && !has_edge(all, each, lock)) found.push_back(each);
    }
    return found;
}

// These are called without it.

Stack this_stack() {
    Stack stack;
    stack.count = os::capture_stack(stack.frames);
    const ThreadState* const state = runtime::this_thread.state;
    stack.thread = state != nullptr ? state->name() : std::string();
    if (stack.thread.empty()) stack.thread = fmt::format("{}", os::native_thread_id());
    return stack;
}

void write_stack(std::string& text, const Stack& stack) {
    const std::span frames(stack.frames.data(), stack.count);
    for (void* const frame : frames.subspan((std::min)(kOwnFrames, stack.count))) {
        // A return address may be the first one behind its function.
        const os::Symbol symbol = os::symbol_at(static_cast<const char*>(frame) - 1);
        text += "\n    ";
        if (!symbol.name.empty()) text += demangle(symbol.name.c_str()) + ' ';
        text += fmt::format("({}+{:#x})", symbol.module, symbol.offset + 1);
    }
}

std::string describe_circle(const Edge& closing, const std::vector<Edge>& way) {
    std::string text = fmt::format(
        "lock order: threads that do the following at the same time can wait for each other for "
        "ever\n  thread {} wants lock {} and holds lock {}:",
        closing.stack.thread, closing.to, closing.from);
    write_stack(text, closing.stack);
    for (const Edge& each : way) {
        text += fmt::format("\n  thread {} wanted lock {} and held lock {}:", each.stack.thread,
                            each.to, each.from);
        write_stack(text, each.stack);
    }
    return text;
}

/// Adds what is new, and returns what there is to say about it.
std::vector<std::string> add_edges_to(Lock lock, const Stack& stack) {
    std::vector<std::pair<Edge, std::vector<Edge>>> circles;
    bool has_filled_up = false;
    {
        const std::scoped_lock held(mutex);
        Graph& all = current_graph();
        for (const Lock each : new_predecessors(all, lock)) {
            if (all.edges >= kMostEdges) {
                has_filled_up = !std::exchange(all.is_full, true);
                break;
            }
            Edge edge{each, lock, stack};
            std::vector<Edge> way = find_way(all, lock, each);
            if (!way.empty()) circles.emplace_back(edge, std::move(way));
            add_edge(all, std::move(edge));
        }
    }
    std::vector<std::string> texts;
    for (const auto& [closing, way] : circles) texts.push_back(describe_circle(closing, way));
    if (has_filled_up) {
        texts.push_back(fmt::format(
            "lock order: {} pairs of locks are known, and no more are looked at", kMostEdges));
    }
    return texts;
}

}  // namespace

void lock_is_wanted(const void* lock) {
    const Inside inside;
    if (inside.was_inside()) return;
    std::vector<std::string> texts;
    try {
        {
            const std::scoped_lock held(mutex);
            if (new_predecessors(current_graph(), lock).empty()) return;
        }
        texts = add_edges_to(lock, this_stack());
    } catch (const std::bad_alloc&) {
        // The checker sees less than there is.
    }
    for (const std::string& each : texts) warn(WarningCategory::RuntimeWarning, each);
}

void lock_is_taken(const void* lock) noexcept {
    const Inside inside;
    if (inside.was_inside()) return;
    try {
        const std::scoped_lock held(mutex);
        Graph& all = current_graph();
        forget_holder(all, lock);
        const std::uint64_t me = this_thread_number();
        all.held[me].push_back(lock);
        all.holders.emplace(lock, me);
    } catch (const std::bad_alloc&) {
        // As if it had been taken before the check began.
    }
}

void lock_is_released(const void* lock) noexcept {
    const Inside inside;
    if (inside.was_inside()) return;
    const std::scoped_lock held(mutex);
    if (graph != nullptr) forget_holder(*graph, lock);
}

void lock_is_gone(const void* lock) noexcept {
    const Inside inside;
    if (inside.was_inside()) return;
    const std::scoped_lock held(mutex);
    if (graph == nullptr) return;
    forget_holder(*graph, lock);
    forget(*graph, lock);
}

bool set_lock_order_check(bool on) noexcept {
    const Inside inside;
    const std::scoped_lock held(mutex);
    const bool before = lock_order_checked.exchange(on, std::memory_order_seq_cst);
    if (on && !before && graph != nullptr) {
        // What was known may be of locks that have been destroyed unseen. A graph of the parent's
        // may be torn.
        const bool is_whole = graph->generation == fork_generation.load(std::memory_order_relaxed);
        if (is_whole) delete std::exchange(graph, graph->abandoned);
    }
    return before;
}

namespace {

/// Runs when the library is loaded. Locks that were taken before are not known to be held.
[[maybe_unused]] const bool has_begun = [] {
    const char* const wish = std::getenv("WEFT_LOCK_ORDER");
    const std::string_view value = wish != nullptr ? wish : "";
    if (!value.empty() && value != "0") set_lock_order_check(true);
    return true;
}();

}  // namespace

}  // namespace weft::detail

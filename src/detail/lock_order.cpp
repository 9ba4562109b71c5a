#include <weft/detail/lock_order.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <weft/detail/low_lock.hpp>
#include <weft/detail/thread_number.hpp>
#include <weft/unraisable.hpp>

#include "detail/describe.hpp"
#include "detail/fmt.hpp"
#include "os/posix/forced_unwind.hpp"
#include "os/posix/stack.hpp"
#include "os/posix/thread.hpp"
#include "runtime/main_thread.hpp"
#include "runtime/this_thread.hpp"
#include "runtime/thread_state.hpp"

// A graph whose nodes are locks. An edge from A to B says that some thread, holding A, was about to
// wait for B, and keeps that thread's stack. A thread that is about to wait for B while it holds A
// adds the edge, if there is none; if a way leads from B to A already, it closes a circle, which is
// reported, once because the edge is there from then on.
//
// An edge also knows what else was held each time: two threads that hold one lock cannot both be in
// the circle. When an edge is met without such a lock, it loses it, and is looked at again.
//
// Everything is under one lock, held while memory is allocated but never while users' code runs
// (but for an operator new or delete of theirs): a report is given after it. What the checker
// itself takes, and what a handler of warnings takes, is not looked at. What a handler releases or
// destroys is: it may have been taken outside of it.
//
// After fork the graph may be in the middle of a change: the child puts it aside and begins anew.
// Locks that the forking thread holds then are not known to be held.

namespace weft::detail {

constinit std::atomic<bool> lock_order_checked{false};

namespace {

using Lock = const void*;

constexpr std::size_t kMostEdges = 16384;
constexpr std::size_t kMostFrames = 24;
constexpr std::size_t kMostGates = 8;
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
    /// `from`, and up to kMostGates others that were held each time.
    std::vector<Lock> held;
    bool is_reported = false;
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
constinit thread_local bool has_mutex = false;

/// The graph's lock, for a scope.
class Locked {
public:
    Locked() noexcept {
        mutex.lock();
        has_mutex = true;
    }
    ~Locked() {
        has_mutex = false;
        mutex.unlock();
    }
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;
};

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

/// Null if there is none. The child of a fork must not look at its parent's.
Graph* known_graph() noexcept {
    const bool is_known =
        graph != nullptr && graph->generation == fork_generation.load(std::memory_order_relaxed);
    return is_known ? graph : nullptr;
}

Graph& current_graph() {
    if (known_graph() == nullptr) {
        auto* const fresh = new Graph;
        fresh->abandoned = graph;
        graph = fresh;
    }
    return *graph;
}

Edge* find_edge(Graph& all, Lock from, Lock to) {
    const auto node = all.nodes.find(from);
    if (node == all.nodes.end()) return nullptr;
    const auto found = std::ranges::find(node->second.later, to, &Edge::to);
    return found != node->second.later.end() ? &*found : nullptr;
}

bool contains(const std::vector<Lock>& locks, Lock lock) {
    return std::ranges::find(locks, lock) != locks.end();
}

/// Whether two threads can be where the edges say at the same time: not when both held one lock.
bool are_compatible(const Edge& a, const Edge& b) {
    return std::ranges::none_of(a.held, [&b](Lock each) { return contains(b.held, each); });
}

/// The edges that make a circle of `closing`; empty if there are none.
std::vector<Edge> find_circle(const Graph& all, const Edge& closing) {
    const Lock from = closing.to;
    const Lock to = closing.from;
    std::unordered_map<Lock, const Edge*> reached_by{{from, nullptr}};
    std::vector<Lock> open{from};
    while (!open.empty() && !reached_by.contains(to)) {
        const auto node = all.nodes.find(open.back());
        open.pop_back();
        if (node == all.nodes.end()) continue;
        for (const Edge& each : node->second.later) {
            if (!are_compatible(each, closing)) continue;
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

/// What this thread holds, in order; empty if that is nothing.
std::vector<Lock> held_here(const Graph& all) {
    const auto held = all.held.find(this_thread_number());
    return held != all.held.end() ? held->second : std::vector<Lock>();
}

/// Whether it is news that a thread that holds all of `held` wants `to` while it holds `from`.
bool is_news(Graph& all, Lock from, Lock to, const std::vector<Lock>& held) {
    // Whoever waits for a lock that he has taken himself waits for another to release it.
    if (from == to) return false;
    const Edge* const known = find_edge(all, from, to);
    return known == nullptr ||
           std::ranges::any_of(known->held, [&held](Lock each) { return !contains(held, each); });
}

bool is_any_news(Graph& all, Lock to, const std::vector<Lock>& held) {
    return std::ranges::any_of(held, [&](Lock from) { return is_news(all, from, to, held); });
}

// These are called without it.

Stack this_stack() {
    Stack stack;
    stack.count = os::capture_stack(stack.frames);
    const ThreadState* const state = runtime::this_thread.state;
    if (state != nullptr) stack.thread = state->name();
    if (state == nullptr && runtime::is_main_thread()) stack.thread = "MainThread";
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

/// The edge from one of the locks that this thread holds, less what was not held in earlier cases.
Edge make_edge(const Edge* known, Lock from, Lock to, const std::vector<Lock>& held,
               const Stack& stack) {
    Edge edge{from, to, stack, {from}, known != nullptr && known->is_reported};
    for (const Lock each : known != nullptr ? known->held : held) {
        const bool is_gate = each != from && each != to && contains(held, each);
        if (is_gate && edge.held.size() <= kMostGates) edge.held.push_back(each);
    }
    return edge;
}

/// Adds what is new, and returns what there is to say about it.
std::vector<std::string> add_edges_to(Lock lock, const Stack& stack) {
    std::vector<std::pair<Edge, std::vector<Edge>>> circles;
    bool has_filled_up = false;
    {
        const Locked locked;
        Graph& all = current_graph();
        const std::vector<Lock> held = held_here(all);
        for (const Lock each : held) {
            if (!is_news(all, each, lock, held)) continue;
            Edge* const known = find_edge(all, each, lock);
            if (known == nullptr && all.edges >= kMostEdges) {
                has_filled_up = !std::exchange(all.is_full, true);
                break;
            }
            Edge edge = make_edge(known, each, lock, held, stack);
            std::vector<Edge> way = find_circle(all, edge);
            if (!way.empty() && !edge.is_reported) {
                // Its edges are not told again when they are met without a common lock.
                edge.is_reported = true;
                for (const Edge& part : way) find_edge(all, part.from, part.to)->is_reported = true;
                circles.emplace_back(edge, std::move(way));
            }
            if (known != nullptr) {
                *known = std::move(edge);
            } else {
                add_edge(all, std::move(edge));
            }
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

/// Each of them, since none is told again. What the handler throws first is thrown at the end.
void give_all(const std::vector<std::string>& texts) {
    std::exception_ptr first;
    for (const std::string& each : texts) {
        try {
            warn(WarningCategory::RuntimeWarning, each);
        } catch (const os::ForcedUnwind&) {
            throw;
        } catch (...) {
            if (first == nullptr) first = std::current_exception();
        }
    }
    if (first != nullptr) std::rethrow_exception(first);
}

}  // namespace

void lock_is_wanted(const void* lock) {
    const Inside inside;
    if (inside.was_inside()) return;
    std::vector<std::string> texts;
    try {
        {
            const Locked locked;
            Graph& all = current_graph();
            if (!is_any_news(all, lock, held_here(all))) return;
        }
        texts = add_edges_to(lock, this_stack());
    } catch (const std::bad_alloc&) {
        // The checker sees less than there is.
    }
    give_all(texts);
}

void lock_is_taken(const void* lock) noexcept {
    const Inside inside;
    if (inside.was_inside()) return;
    try {
        const Locked locked;
        Graph& all = current_graph();
        forget_holder(all, lock);
        const std::uint64_t me = this_thread_number();
        std::vector<Lock>& mine = all.held[me];
        mine.reserve(mine.size() + 1);
        all.holders.emplace(lock, me);
        mine.push_back(lock);
    } catch (const std::bad_alloc&) {
        // As if it had been taken before the check began.
    }
}

void lock_is_released(const void* lock) noexcept {
    if (has_mutex) return;
    const Inside inside;
    const Locked locked;
    if (Graph* const all = known_graph()) forget_holder(*all, lock);
}

void lock_is_gone(const void* lock) noexcept {
    if (has_mutex) return;
    const Inside inside;
    const Locked locked;
    Graph* const all = known_graph();
    if (all == nullptr) return;
    forget_holder(*all, lock);
    forget(*all, lock);
}

bool set_lock_order_check(bool on) noexcept {
    const Inside inside;
    const Locked locked;
    const bool before = lock_order_checked.exchange(on, std::memory_order_seq_cst);
    // What was known may be of locks that have been destroyed unseen.
    if (Graph* const all = known_graph(); on && !before && all != nullptr) {
        graph = all->abandoned;
        delete all;
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

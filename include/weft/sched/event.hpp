#pragma once

#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <weft/detail/atomic.hpp>
#include <weft/detail/config.hpp>
#include <weft/detail/node_memory.hpp>

namespace weft::sched {

class Event;
class scheduler;

namespace detail {

class EventRecord;

/// One object's address for each type, to recognise it by.
template <class T>
inline constexpr char type_mark = 0;

/// A part of what an event holds, and which type it is of.
struct EventPart {
    const void* address;
    const char* type;
};

/// What is known of an event by the types of its action and arguments.
struct EventType {
    void (*call)(EventRecord& record);
    void (*destroy_content)(EventRecord& record) noexcept;
    void (*free)(EventRecord& record) noexcept;
    EventPart (*action)(EventRecord& record) noexcept;
    EventPart (*argument)(EventRecord& record, std::size_t index) noexcept;
    std::size_t arguments;
};

/// What a scheduler and the handles on one event share.
///
/// The content (action and arguments, which are users' objects) and the memory end at different
/// times, because a cancelled event leaves the scheduler's order lazily. The word counts the owners
/// of the content: each handle, and the scheduler as long as the event is to run. Two bits keep the
/// memory: kContent until the content is destroyed, kEntry while the scheduler's order names the
/// record. Whoever makes the word zero frees it.
class EventRecord {
public:
    enum class State : std::uint8_t { pending, taken, cancelled };

    EventRecord(const EventType& type, const scheduler* scheduler_of_it) noexcept
        : home(scheduler_of_it), type_(type) {}
    EventRecord(const EventRecord&) = delete;
    EventRecord& operator=(const EventRecord&) = delete;

    [[nodiscard]] const EventType& type() const noexcept { return type_; }

    void add_owner() noexcept { word_.fetch_add(kOwner, std::memory_order_relaxed); }
    void drop_owner() noexcept { drop(kOwner); }
    /// What the scheduler does with an event that has run.
    void drop_owner_and_entry() noexcept { drop(kOwner | kEntry); }
    /// What the scheduler does with the remains of a cancelled event. Calls nothing of the users'.
    void drop_entry() noexcept {
        if (word_.fetch_sub(kEntry, std::memory_order_acq_rel) == kEntry) type_.free(*this);
    }
    /// Destroys a record that nobody but its maker knows.
    void discard() noexcept {
        type_.destroy_content(*this);
        type_.free(*this);
    }

    double time = 0.0;
    std::int64_t priority = 0;
    std::uint64_t sequence = 0;
    const scheduler* const home;
    State state = State::pending;  ///< guarded by the scheduler's lock

private:
    static constexpr std::uint64_t kOwner = 1;
    static constexpr std::uint64_t kOwners = (std::uint64_t{1} << 32) - 1;
    static constexpr std::uint64_t kContent = std::uint64_t{1} << 32;
    static constexpr std::uint64_t kEntry = std::uint64_t{1} << 33;

    void drop(std::uint64_t share) noexcept {
        // Acquire, for the last: what the other owners did with the content has happened. The load
        // spares the last one the cost of an exchange: nobody else knows the record any more.
        std::uint64_t left = word_.load(std::memory_order_acquire) - share;
        if (left != kContent) left = word_.fetch_sub(share, std::memory_order_acq_rel) - share;
        if ((left & kOwners) != 0) return;
        type_.destroy_content(*this);
        if (left == kContent || word_.fetch_sub(kContent, std::memory_order_acq_rel) == kContent) {
            type_.free(*this);
        }
    }

    const EventType& type_;
    weft::detail::Atomic<std::uint64_t> word_{kContent | kEntry | (2 * kOwner)};
};

/// Called with what it holds as constants where that is possible, so that an event stays what it
/// was; else with what it holds moved into the call.
template <class Action, class... Args>
concept event_action = std::invocable<std::decay_t<Action>&, const std::decay_t<Args>&...> ||
                       std::invocable<std::decay_t<Action>, std::decay_t<Args>...>;

struct OrdinaryMemory {};

template <class Action, class... Args>
struct EventContent {
    template <class GivenAction, class... GivenArgs>
    explicit EventContent(GivenAction&& given_action, GivenArgs&&... given_args)
        : action(std::forward<GivenAction>(given_action)),
          arguments(std::forward<GivenArgs>(given_args)...) {}
    Action action;
    std::tuple<Args...> arguments;
};

template <class Content>
struct EventShape : EventRecord {
    alignas(Content) std::byte content[sizeof(Content)];
};

template <class Content>
using EventMemory = std::conditional_t<weft::detail::NodeMemory::fits(sizeof(EventShape<Content>),
                                                                      alignof(EventShape<Content>)),
                                       weft::detail::NodeMemory, OrdinaryMemory>;

template <class Action, class... Args>
class BoundEvent final : public EventRecord, public EventMemory<EventContent<Action, Args...>> {
public:
    template <class... Given>
    explicit BoundEvent(const scheduler* scheduler_of_it, Given&&... given)
        : EventRecord(kType, scheduler_of_it), content_(std::forward<Given>(given)...) {}
    // The content ends before the memory does, by destroy_content().
    ~BoundEvent() {}  // NOLINT(modernize-use-equals-default)

private:
    using Content = EventContent<Action, Args...>;

    static BoundEvent& from(EventRecord& record) noexcept {
        return static_cast<BoundEvent&>(record);
    }
    static void call(EventRecord& record) {
        Content& content = from(record).content_;
        std::apply(
            [&](Args&... args) {
                if constexpr (std::invocable<Action&, const Args&...>) {
                    std::invoke(content.action, std::as_const(args)...);
                } else {
                    std::invoke(std::move(content.action), std::move(args)...);
                }
            },
            content.arguments);
    }
    static void destroy_content(EventRecord& record) noexcept {
        std::destroy_at(&from(record).content_);
    }
    static void free(EventRecord& record) noexcept { delete &from(record); }
    static EventPart action(EventRecord& record) noexcept {
        return {std::addressof(from(record).content_.action), &type_mark<Action>};
    }
    static EventPart argument(EventRecord& record, std::size_t index) noexcept {
        EventPart part{nullptr, nullptr};
        std::apply(
            [&](Args&... args) {
                std::size_t at = 0;
                ((at++ == index ? part = EventPart{std::addressof(args), &type_mark<Args>} : part),
                 ...);
            },
            from(record).content_.arguments);
        return part;
    }

    static constexpr EventType kType{&call,   &destroy_content, &free,
                                     &action, &argument,        sizeof...(Args)};

    union {
        Content content_;
    };
};

[[noreturn]] WEFT_API void throw_no_argument(std::size_t index, std::size_t size);
[[noreturn]] WEFT_API void throw_other_type(std::size_t index);

}  // namespace detail

/// What an event does. Part of an Event, which it keeps alive.
class Action {
public:
    Action(const Action& other) noexcept : record_(other.record_) {
        if (record_ != nullptr) record_->add_owner();
    }
    Action& operator=(const Action& other) noexcept {
        const Action copy(other);
        std::swap(record_, copy.record_);
        return *this;
    }
    ~Action() {
        if (record_ != nullptr) record_->drop_owner();
    }

    /// Calls it with the event's arguments, as run() does; throws what it throws. What takes its
    /// arguments only by moving them finds them moved from at the second call. Several threads may
    /// call it at once if they may call the callable at once.
    void operator()() const { record_->type().call(*record_); }

    /// The callable itself, when it is an `F`; otherwise null.
    template <class F>
    [[nodiscard]] const F* target() const noexcept {
        const detail::EventPart part = record_->type().action(*record_);
        return part.type == &detail::type_mark<F> ? static_cast<const F*>(part.address) : nullptr;
    }

private:
    friend class Event;
    explicit Action(detail::EventRecord* record) noexcept : record_(record) {}

    /// Null in an event that was moved from. Mutable, for that: the members of an event are
    /// constant.
    mutable detail::EventRecord* record_;
};

/// What an event's action is called with. Part of an Event, and read there: it cannot be copied
/// out.
class Argument {
public:
    /// How many there are.
    [[nodiscard]] std::size_t size() const noexcept { return record_->type().arguments; }
    /// The one at `index`, as it was stored. Throws `std::out_of_range` when there are not so many,
    /// weft::TypeError when it is not a `T`.
    template <class T>
    [[nodiscard]] const T& get(std::size_t index) const {
        if (index >= size()) detail::throw_no_argument(index, size());
        const detail::EventPart part = record_->type().argument(*record_, index);
        if (part.type != &detail::type_mark<T>) detail::throw_other_type(index);
        return *static_cast<const T*>(part.address);
    }

private:
    friend class Event;
    explicit Argument(detail::EventRecord* record) noexcept : record_(record) {}
    Argument(const Argument&) = default;
    Argument& operator=(const Argument&) = default;

    detail::EventRecord* record_;
};

/// A record of something to do at a time: what scheduler::enter() returns and cancel() takes.
///
/// It is immutable, and cheap to copy and to move: all copies mean the same event, and share its
/// action and arguments, which live until the event has run or was cancelled and the last copy is
/// gone. Every member may be used by any threads at once, but for assigning to one copy.
///
/// Events are ordered by time, priority and sequence, which tells apart all events of one
/// scheduler. Unlike Python, events of two schedulers that agree in all three are neither equal nor
/// ordered, whatever their actions: callables of C++ cannot be compared. There is no `kwargs`: C++
/// has no keyword arguments.
class Event {
public:
    const double time;             ///< when it is due, on its scheduler's clock
    const std::int64_t priority;   ///< among events of one time, the lower number runs first
    const std::uint64_t sequence;  ///< counts a scheduler's events; the last to decide the order
    const Action action;           ///< what to call
    const Argument argument;       ///< what to call it with

    Event(const Event&) noexcept = default;
    /// An event that was moved from can be assigned to and destroyed; cancel() refuses it.
    Event(Event&& other) noexcept
        : time(other.time),
          priority(other.priority),
          sequence(other.sequence),
          action(std::exchange(other.action.record_, nullptr)),
          argument(other.argument) {}
    Event& operator=(const Event& other) noexcept { return *this = Event(other); }
    Event& operator=(Event&& other) noexcept {
        if (this != &other) {
            // Members that are constant can only begin anew.
            std::destroy_at(this);
            std::construct_at(this, std::move(other));
        }
        return *this;
    }
    ~Event() = default;

    friend bool operator==(const Event& a, const Event& b) noexcept {
        return a.record() == b.record();
    }
    friend std::partial_ordering operator<=>(const Event& a, const Event& b) noexcept {
        if (a.time != b.time) return a.time <=> b.time;
        if (a.priority != b.priority) return a.priority <=> b.priority;
        if (a.sequence != b.sequence) return a.sequence <=> b.sequence;
        return a == b ? std::partial_ordering::equivalent : std::partial_ordering::unordered;
    }

    /// Such as `Event(time=2.5, priority=1, sequence=7)`.
    [[nodiscard]] WEFT_API std::string repr() const;

private:
    friend class scheduler;
    friend struct std::hash<Event>;
    [[nodiscard]] detail::EventRecord* record() const noexcept { return action.record_; }

    /// Takes over one owner's share of the record.
    explicit Event(detail::EventRecord& record) noexcept
        : time(record.time),
          priority(record.priority),
          sequence(record.sequence),
          action(&record),
          argument(&record) {}
};

}  // namespace weft::sched

/// Equal events have equal hashes.
template <>
struct std::hash<weft::sched::Event> {
    std::size_t operator()(const weft::sched::Event& event) const noexcept {
        return std::hash<const void*>()(event.record());
    }
};

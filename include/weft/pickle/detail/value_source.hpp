#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <typeindex>

#include <weft/detail/config.hpp>
#include <weft/pickle/detail/item.hpp>
#include <weft/pickle/detail/wire_source.hpp>
#include <weft/pickle/options.hpp>
#include <weft/pickle/value.hpp>

namespace weft::pickle::detail {

struct ClassEntry;

/// Gives out the parts of a Value under the names of WireSource, so that one description of a type
/// reads from both. It accepts every shape that can be taken for what is asked, and remembers what
/// was in the way when it cannot.
///
/// State: the items that are to be read at this level, the objects that shared pointers were made
/// for, and the limits of depth and of copies.
class WEFT_API ValueSource {
public:
    ValueSource(const Value& value, const LoadOptions& options, std::size_t input_size);
    ~ValueSource();
    ValueSource(const ValueSource&) = delete;
    ValueSource& operator=(const ValueSource&) = delete;

    static constexpr bool is_wire = false;

    [[nodiscard]] Kind peek_kind() const noexcept;
    bool take_none() noexcept;
    bool load_boolean(bool& result);
    bool load_integer(std::int64_t& result);
    bool load_natural(std::uint64_t& result);
    bool load_wide(std::string_view& little_endian);
    bool load_real(double& result);
    bool load_text(std::string_view& wire);
    bool load_bytes(std::string_view& raw);
    bool load_array(ArrayView& array);
    bool load_value(Value& result);

    struct Frame {
        const Item* next = nullptr;
        const Item* limit = nullptr;
        const Node* node = nullptr;
    };

    bool begin_tuple(std::size_t items, Frame& frame);
    bool end_tuple(std::size_t items, Frame& frame) noexcept;
    bool begin_open_tuple(Frame& frame);
    [[nodiscard]] bool has_more() const noexcept { return next_ != limit_; }
    bool end_open_tuple(Frame& frame) noexcept { return end_tuple(0, frame); }
    bool begin_sequence(Frame& frame);
    bool begin_fixed_sequence(std::size_t items, Frame& frame) { return begin_tuple(items, frame); }
    bool begin_dict(Frame& frame);
    bool begin_set(Frame& frame);
    [[nodiscard]] bool next_item(Frame& /*frame*/) const noexcept { return has_more(); }
    [[nodiscard]] bool next_entry(Frame& /*frame*/) const noexcept { return has_more(); }
    [[nodiscard]] bool next_member(Frame& /*frame*/) const noexcept { return has_more(); }
    bool retreat(Frame& /*frame*/, std::size_t* /*surplus*/ = nullptr) const noexcept {
        return false;
    }
    /// How many more items, entries or members come.
    [[nodiscard]] std::size_t items_left() const noexcept {
        return static_cast<std::size_t>(limit_ - next_);
    }
    void leave(const Frame& frame) noexcept;

    /// A dict's or object's entry with this name becomes what is read next, until leave_entry().
    bool find_entry(std::string_view name, Frame& frame);
    void leave_entry(const Frame& frame) noexcept {
        next_ = frame.next;
        limit_ = frame.limit;
    }

    /// The module and name of an object's class; nothing is read. False for what is no object.
    bool peek_class(std::string_view& module, std::string_view& name) const noexcept;
    /// An object's positional arguments, or the tuple that is its state, or the values of its
    /// attributes in their order.
    bool begin_object_items(Frame& frame);
    /// An object's attributes by name, for find_entry().
    bool begin_object_entries(Frame& frame);
    [[nodiscard]] bool next_is_object() const noexcept { return peek_kind() == Kind::object; }
    [[nodiscard]] bool is_object_of(const ClassEntry& entry) const noexcept;
    /// Whether the object that is next has a dict for its state.
    [[nodiscard]] bool has_attributes() const noexcept;
    /// A datetime.timedelta; false, with nothing read, for anything else.
    bool load_timedelta(std::int64_t& days, std::int64_t& seconds, std::int64_t& microseconds);

    /// The object made before for the node that is next, as which `made` was remembered, or null.
    /// False if it is not whole yet and objects must not hold themselves.
    bool find_shared(std::type_index type, std::shared_ptr<void>& found);
    /// Remembers an object before it is filled, for it may hold itself. `reset` empties it, in case
    /// that reading fails (it may be null). Gives its number, for finish_shared().
    std::size_t remember_shared(std::type_index type, std::shared_ptr<void> made,
                                void (*reset)(void*));
    void finish_shared(std::size_t number) noexcept;
    void skip() noexcept { ++next_; }
    /// All was read, so what was made stays as it is. Otherwise the destructor empties the objects
    /// that were shared, for they may hold each other.
    void keep() noexcept { is_kept_ = true; }

    struct Place {
        const Item* next;
        const Item* limit;
        std::size_t depth_left;
        std::size_t shared;
    };
    [[nodiscard]] Place place() const noexcept {
        return {next_, limit_, depth_left_, shared_count()};
    }
    void go_back(const Place& place) noexcept {
        next_ = place.next;
        limit_ = place.limit;
        depth_left_ = place.depth_left;
        forget_shared(place.shared);
    }
    /// Limits for reading a part of what this reads with a source of its own, and what that left.
    [[nodiscard]] LoadOptions limits() const noexcept;
    void take_limits(const ValueSource& part) noexcept { copies_left_ = part.copies_left_; }

    bool may_copy(std::size_t size);
    /// Notes what was expected where something else is. Returns false.
    bool fail(const char* expected);
    bool fail_with(std::string message);
    bool fail_range(std::int64_t number, std::size_t size);
    bool fail_length(std::size_t expected, std::size_t found);
    bool fail_character(std::string_view found);

    /// What went wrong, in words.
    [[nodiscard]] std::string message() const;
    /// The opcode that made what could not be used, and its place.
    [[nodiscard]] std::size_t offset() const noexcept { return offset_; }
    [[nodiscard]] int opcode() const noexcept;

private:
    struct Shared;

    bool enter(const Node& node, const Item* first, std::size_t count, Frame& frame);
    [[nodiscard]] std::size_t shared_count() const noexcept;
    void forget_shared(std::size_t count) noexcept;
    [[nodiscard]] const Item* peek() const noexcept { return next_ == limit_ ? nullptr : next_; }

    const Item* next_;
    const Item* limit_;
    Value root_;
    std::size_t depth_left_;
    std::size_t copies_left_;
    bool allow_cycles_;
    bool is_kept_ = false;
    std::size_t offset_ = 0;
    std::string message_;
    std::unique_ptr<Shared> shared_;
};

}  // namespace weft::pickle::detail

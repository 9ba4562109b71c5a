#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <weft/detail/config.hpp>
#include <weft/pickle/bytes.hpp>

// Where code lies, said so that another process of the same program finds it.

namespace weft::detail {

using FunctionAddress = void (*)();

/// A function by its module's build-id and its offset in the module. The path serves to load a
/// plugin that the other process has not opened yet; empty for the program itself.
struct CodePlace {
    std::string build_id;
    std::string path;
    std::uint64_t offset = 0;
};

/// A pointer to a member function: a place and an adjustment of `this`, or, of a virtual one, what
/// the pointer holds, which is the same in every process of the program.
struct MethodPlace {
    CodePlace place;
    bool is_virtual = false;
    std::uint64_t slot = 0;
    std::int64_t adjustment = 0;
};

/// Throws `std::runtime_error` for code of a module without a build-id.
WEFT_API CodePlace place_of(FunctionAddress function);
WEFT_API MethodPlace method_place_of(const void* pointer, std::size_t size);

/// The other direction. Throws `std::runtime_error` if this process has no such module and cannot
/// open it, or the place is no code.
WEFT_API FunctionAddress function_at(const CodePlace& place);
WEFT_API void method_at(const MethodPlace& place, void* pointer, std::size_t size);

/// What makes a call from its parcel.
using CallEntry = void (*)(pickle::BytesView parcel, weft::bytes& result);

/// Keeps an entry in the list of those that packed calls may name, as long as it lives.
class WEFT_API EntryRegistration {
public:
    explicit EntryRegistration(CallEntry call) noexcept;
    ~EntryRegistration();
    EntryRegistration(const EntryRegistration&) = delete;
    EntryRegistration& operator=(const EntryRegistration&) = delete;

private:
    friend struct EntryList;

    CallEntry entry_;
    EntryRegistration* next_ = nullptr;
};

/// The head of a packed call: everything but the parcel.
WEFT_API weft::bytes begin_packed(CallEntry entry);

}  // namespace weft::detail

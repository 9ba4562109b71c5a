#include <weft/pickle/functions.hpp>

#include <string>

#include <weft/errors.hpp>

#include "pickle/machine.hpp"
#include "pickle/node.hpp"

namespace weft::pickle::detail {

Value load_value(BytesView wire, const LoadOptions& options) {
    ArenaRef arena(new Arena);
    arena->input = wire.text();
    Machine machine(*arena, options);
    return ValueAccess::make(machine.run(), arena);
}

void throw_unloadable(const ValueSource& source) {
    throw UnpicklingError(source.message(), source.offset(), source.opcode());
}

void throw_not_a(const ValueSource& source) {
    throw TypeError(source.message());
}

std::size_t input_size_of(const Value& value) noexcept {
    const Arena* arena = ValueAccess::arena(value).get();
    return arena == nullptr ? 0 : arena->input.size();
}

}  // namespace weft::pickle::detail

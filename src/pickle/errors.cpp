#include <weft/pickle/errors.hpp>

#include "detail/fmt.hpp"
#include "pickle/opcode_names.hpp"

namespace weft::pickle {

namespace {

std::string message_of(const std::string& what, std::size_t offset, int opcode) {
    if (opcode < 0) return fmt::format("{} (at byte {})", what, offset);
    const std::string_view name = detail::opcode_name(static_cast<unsigned char>(opcode));
    if (name.empty()) return fmt::format("{} (0x{:02x} at byte {})", what, opcode, offset);
    return fmt::format("{} ({} at byte {})", what, name, offset);
}

}  // namespace

UnpicklingError::UnpicklingError(const std::string& what, std::size_t offset, int opcode)
    : PickleError(message_of(what, offset, opcode)), offset_(offset), opcode_(opcode) {}

// Out of line, so that each class has one type_info, in the library.
PickleError::~PickleError() = default;
PicklingError::~PicklingError() = default;
UnpicklingError::~UnpicklingError() = default;

}  // namespace weft::pickle

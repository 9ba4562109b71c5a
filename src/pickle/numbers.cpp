// Filling vectors of numbers from bytes at any address.

#include <weft/pickle/detail/containers.hpp>

namespace weft::pickle::detail {

namespace {

template <class Number>
void assign(std::vector<Number>& numbers, std::string_view raw) {
    const UnalignedIterator<Number> first(raw.data());
    numbers.assign(first, first + static_cast<std::ptrdiff_t>(raw.size() / sizeof(Number)));
}

}  // namespace

void assign_numbers(std::vector<std::int8_t>& numbers, std::string_view raw) {
    assign(numbers, raw);
}
void assign_numbers(std::vector<std::uint8_t>& numbers, std::string_view raw) {
    assign(numbers, raw);
}
void assign_numbers(std::vector<std::int16_t>& numbers, std::string_view raw) {
    assign(numbers, raw);
}
void assign_numbers(std::vector<std::uint16_t>& numbers, std::string_view raw) {
    assign(numbers, raw);
}
void assign_numbers(std::vector<std::int32_t>& numbers, std::string_view raw) {
    assign(numbers, raw);
}
void assign_numbers(std::vector<std::uint32_t>& numbers, std::string_view raw) {
    assign(numbers, raw);
}
void assign_numbers(std::vector<std::int64_t>& numbers, std::string_view raw) {
    assign(numbers, raw);
}
void assign_numbers(std::vector<std::uint64_t>& numbers, std::string_view raw) {
    assign(numbers, raw);
}
void assign_numbers(std::vector<float>& numbers, std::string_view raw) {
    assign(numbers, raw);
}
void assign_numbers(std::vector<double>& numbers, std::string_view raw) {
    assign(numbers, raw);
}

}  // namespace weft::pickle::detail

#pragma once

namespace weft::test {

/// Maps the program's own symbol table, in which hidden and static functions have their names too,
/// so that print_frame() need not allocate.
void prepare_symbols();

/// Writes one line about a return address: the (mangled) name of the function and the offset in it,
/// from this program's symbol table, or what the dynamic linker knows. May be called in a signal
/// handler.
void print_frame(int fd, void* address) noexcept;

}  // namespace weft::test

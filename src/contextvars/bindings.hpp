#pragma once

#include <cstddef>
#include <cstdint>

#include <weft/contextvars/binding.hpp>

// The map from variables to values that contexts share: a tree over the bits of the variables'
// indexes, four bits a level, without empty places. A share of a tree keeps all of it; whoever has
// the only share of a node, and of all above it, changes it in place, and everybody else copies the
// nodes on the way down. Indexes are unique, so nothing collides.

namespace weft::contextvars::detail {

/// Adds a share of the tree.
Bindings share(const Bindings& bindings) noexcept;
/// Drops a share. May destroy values, and so run users' code.
void release(const Bindings& bindings) noexcept;

/// How many variables are bound.
std::size_t size_of(const Bindings& bindings) noexcept;

/// Null when the variable is not bound. The word stays where it is until the map is changed.
const Word* find(const Bindings& bindings, const VariableInfo& info) noexcept;

/// Binds a variable; takes over a share of the value and returns the one of the value before.
/// Throws `std::bad_alloc`; then nothing has changed.
Share assign(Bindings& bindings, const VariableInfo& info, Word value);

/// Removes a variable that is bound; returns the share of its value. Throws as assign() does.
Share remove(Bindings& bindings, const VariableInfo& info);

/// Calls `visit(context, variable, value)` for each, in the order of the variables' making. Stops
/// and returns false when a call does.
bool for_each(const Bindings& bindings,
              bool (*visit)(void* context, const VariableInfo& info, const Word& value),
              void* context);

}  // namespace weft::contextvars::detail

#pragma once

/// All of Weft. A program that needs one module includes that module's header, which costs less.

#include <weft/_thread.hpp>
#include <weft/threading/condition.hpp>
#include <weft/threading/lock.hpp>
#include <weft/timeout.hpp>
#include <weft/version.hpp>

#pragma once

#include <weft/_thread/identity.hpp>
#include <weft/_thread/interrupt_main.hpp>
#include <weft/_thread/lock.hpp>
#include <weft/_thread/threads.hpp>

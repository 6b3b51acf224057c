// face.h: what the tests of the face include, compiled once for each room's program.
#include <gtest/gtest.h>

#include <airssys/rt.hpp>

#include "tests/support/in_runtime.hpp"

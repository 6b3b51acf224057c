// bare.h: what the tests of the rooms below the face include, compiled once for each program.
#include <gtest/gtest.h>

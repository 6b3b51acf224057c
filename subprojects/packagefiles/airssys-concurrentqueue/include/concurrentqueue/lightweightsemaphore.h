// lightweightsemaphore.h: under the name that Debian gives it.
#pragma once
#include "../../lightweightsemaphore.h"

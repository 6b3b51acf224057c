// application_order.hpp: in which order applications start, or why there is none.
//
// Each comes behind all it needs; among those that could come next, the order of the list holds.
// Plain data, any thread.
#pragma once

#include <airssys/rt/application.hpp>
#include <cstddef>
#include <expected>
#include <string>
#include <vector>

namespace airssys::rt::supervision {

// Their places in the list, in the order of their start; or a sentence that names what is wrong: an
// empty name, a name that is there twice, a need that is not there, a circle.
std::expected<std::vector<std::size_t>, std::string> application_order(
    const std::vector<Application>& applications);

}  // namespace airssys::rt::supervision

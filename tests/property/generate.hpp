// generate.hpp: what the generators of random programs are made of.
#pragma once

#include <rapidcheck.h>

#include <utility>
#include <vector>

namespace airssys::rt::property {

// Any of 0 to count - 1, whatever size rapidcheck asks for: small ones would all be the first.
template <class T = unsigned>
rc::Gen<T> one_of(int count) {
  return rc::gen::cast<T>(rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0, count)));
}

// At most so many.
template <class T>
rc::Gen<std::vector<T>> few(int count, rc::Gen<T> gen) {
  return rc::gen::resize(count, rc::gen::container<std::vector<T>>(std::move(gen)));
}

}  // namespace airssys::rt::property

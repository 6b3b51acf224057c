// cell.hpp: plain memory that the explorer watches for data races.
//
// Stands where the real thing has a plain field, with the same syntax. Two accesses of which one
// writes must be ordered by an acquire of a release; else the run fails, whichever came first.
#pragma once

#include <utility>

#include "tests/model/memory.hpp"

namespace airssys::rt::model {

template <class T>
class Cell {
 public:
  Cell() : Cell(T{}) {}
  Cell(T value) : value_(std::move(value)) { note_write(footprint_); }  // implicit, as a field's
  Cell(const Cell&) = delete;
  Cell& operator=(const Cell& other) { return *this = static_cast<T>(other); }
  Cell& operator=(T value) {
    note_write(footprint_);
    value_ = std::move(value);
    return *this;
  }
  operator T() const {
    note_read(footprint_);
    return value_;
  }

 private:
  T value_;
  mutable Footprint footprint_;
};

}  // namespace airssys::rt::model

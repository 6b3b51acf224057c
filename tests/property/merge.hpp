// merge.hpp: rows that are told at once, each in its order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace airssys::rt::property {

using Row = std::vector<std::string>;

// Whether what is told from there on is one of the ways to tell these rows at once.
inline bool is_merge_of(const Row& told, std::vector<Row> rows, std::size_t from = 0) {
  if (from == told.size())
    return std::ranges::all_of(rows, [](const Row& row) { return row.empty(); });
  for (Row& row : rows) {
    if (row.empty() || row.front() != told[from]) continue;
    const std::string taken = row.front();
    row.erase(row.begin());
    if (is_merge_of(told, rows, from + 1)) return true;
    row.insert(row.begin(), taken);
  }
  return false;
}

inline std::string text_of(const Row& row) {
  std::string text;
  for (const std::string& word : row) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace airssys::rt::property

// merge.hpp: rows that are told at once, each in its order.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace airssys::rt::property {

using Row = std::vector<std::string>;

// Whether this is one of the ways to tell these rows at once.
inline bool is_merge_of(const Row& told, const std::vector<Row>& rows) {
  using Places = std::vector<std::size_t>;  // how much of each row is told
  std::set<Places> possible = {Places(rows.size())};
  for (const std::string& word : told) {
    std::set<Places> behind_it;
    for (const Places& places : possible) {
      for (std::size_t i = 0; i < rows.size(); ++i) {
        if (places[i] == rows[i].size() || rows[i][places[i]] != word) continue;
        Places next = places;
        ++next[i];
        behind_it.insert(std::move(next));
      }
    }
    possible = std::move(behind_it);
  }
  Places ends;
  for (const Row& row : rows) ends.push_back(row.size());
  return possible.contains(ends);
}

inline std::string text_of(const Row& row) {
  std::string text;
  for (const std::string& word : row) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace airssys::rt::property

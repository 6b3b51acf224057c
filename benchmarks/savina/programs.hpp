// programs.hpp: the programs, each in a file of its own, by the names of their definitions.
#pragma once

#include <memory>

#include "program.hpp"

namespace savina {

using Maker = std::unique_ptr<Program> (*)(const Setting& setting);

std::unique_ptr<Program> make_pingpong(const Setting& setting);
std::unique_ptr<Program> make_counting(const Setting& setting);
std::unique_ptr<Program> make_counting_bounded(const Setting& setting);
std::unique_ptr<Program> make_fork_join_throughput(const Setting& setting);
std::unique_ptr<Program> make_fork_join_foreign(const Setting& setting);
std::unique_ptr<Program> make_fork_join_creation(const Setting& setting);
std::unique_ptr<Program> make_chameneos(const Setting& setting);
std::unique_ptr<Program> make_big(const Setting& setting);
std::unique_ptr<Program> make_big_wide(const Setting& setting);
std::unique_ptr<Program> make_bounded_buffer(const Setting& setting);
std::unique_ptr<Program> make_bounded_mailbox(const Setting& setting);
std::unique_ptr<Program> make_bank_transaction(const Setting& setting);
std::unique_ptr<Program> make_sieve(const Setting& setting);
std::unique_ptr<Program> make_cobwebbed_tree(const Setting& setting);
std::unique_ptr<Program> make_cobwebbed_tree_cut(const Setting& setting);
std::unique_ptr<Program> make_quicksort(const Setting& setting);
std::unique_ptr<Program> make_queens(const Setting& setting);
std::unique_ptr<Program> make_dictionary(const Setting& setting);
std::unique_ptr<Program> make_sorted_list(const Setting& setting);
std::unique_ptr<Program> make_sleeping_barber(const Setting& setting);
std::unique_ptr<Program> make_cigarette_smokers(const Setting& setting);
std::unique_ptr<Program> make_filter_bank(const Setting& setting);
std::unique_ptr<Program> make_filter_bank_narrow(const Setting& setting);
std::unique_ptr<Program> make_filter_bank_short(const Setting& setting);
std::unique_ptr<Program> make_facility_location(const Setting& setting);
std::unique_ptr<Program> make_facility_location_short(const Setting& setting);
std::unique_ptr<Program> make_trapezoid(const Setting& setting);
std::unique_ptr<Program> make_precise_pi(const Setting& setting);
std::unique_ptr<Program> make_matrix_multiplication(const Setting& setting);
std::unique_ptr<Program> make_over_relaxation(const Setting& setting);
std::unique_ptr<Program> make_guided_search(const Setting& setting);
std::unique_ptr<Program> make_guided_search_priority(const Setting& setting);
std::unique_ptr<Program> make_bitonic_sort(const Setting& setting);
std::unique_ptr<Program> make_bitonic_sort_short(const Setting& setting);

}  // namespace savina

// safepoint_plugin.cpp: a plugin of GCC that puts polls into a program: safepoints.
//
//     cmpb $0, %fs:must_give_way     one at each back edge of a loop, and one at the entry of each
//     jne  slow                      function that calls others, so that recursion polls as well
//   back:
//
// It runs behind all passes that work on loops, so that a loop is vectorised as ever, and the asm
// names no clobbers: the slow path (slow_path.cpp) preserves everything. That lies out of line, in
// a section of its own (a function's cold half lies in .text.unlikely and polls as well), in the
// same group as its function, and steps over the red zone before it calls.
// `no_sanitize_coverage` keeps a function free of polls. Linked in, of course, into the compiler:
// one plugin serves one version of it, which GCC checks here.
// clang-format off: each needs those before it
#include <gcc-plugin.h>
#include <tree.h>
#include <gimple.h>
#include <tree-pass.h>
#include <context.h>
#include <function.h>
#include <basic-block.h>
#include <cfganal.h>
#include <gimple-iterator.h>
#include <cfgloop.h>
#include <tree-cfg.h>
#include <stringpool.h>
#include <attribs.h>
#include <plugin-version.h>
#include <diagnostic.h>
// clang-format on

extern int plugin_is_GPL_compatible;
int plugin_is_GPL_compatible;  // asked for by GCC; Apache-2.0 is, with version 3

namespace {

constexpr char poll_text[] =
    "cmpb $0, %%fs:_ZN7airssys2rt4base11this_thread13must_give_wayE@tpoff\n"
    "\tjne .Lairssys_rt_slow%=\n"
    ".Lairssys_rt_back%=:\n"
    "\t.pushsection .text.unlikely.airssys_rt_safepoints,\"ax?\",@progbits\n"
    ".Lairssys_rt_slow%=:\n"
    "\tleaq -128(%%rsp), %%rsp\n"
    "\tcall airssys_rt_safepoint\n"
    "\tleaq 128(%%rsp), %%rsp\n"
    "\tjmp .Lairssys_rt_back%=\n"
    "\t.popsection";

gimple* make_poll() {
  gasm* poll = gimple_build_asm_vec(poll_text, nullptr, nullptr, nullptr, nullptr);
  gimple_asm_set_volatile(poll, true);
  return poll;
}

bool calls_others(basic_block block) {
  for (gimple_stmt_iterator i = gsi_start_bb(block); !gsi_end_p(i); gsi_next(&i)) {
    gimple* statement = gsi_stmt(i);
    if (is_gimple_call(statement) && !gimple_call_builtin_p(statement)) return true;
  }
  return false;
}

// Nothing can be put on a complex edge, such as that of a computed goto: there the poll stands
// before the statement that leaves the block.
void poll_at_back_edges_of(basic_block block) {
  bool is_complex = false;
  edge out;
  edge_iterator i;
  FOR_EACH_EDGE(out, i, block->succs) {
    if (!(out->flags & EDGE_DFS_BACK)) continue;
    if (out->flags & EDGE_COMPLEX) {
      is_complex = true;
    } else {
      gsi_insert_on_edge(out, make_poll());
    }
  }
  if (!is_complex) return;
  gimple_stmt_iterator last = gsi_last_bb(block);
  gsi_insert_before(&last, make_poll(), GSI_SAME_STMT);
}

constexpr pass_data description = {
    GIMPLE_PASS, "airssys_rt_safepoints", OPTGROUP_NONE, TV_NONE, PROP_cfg, 0, 0, 0, 0};

struct Safepoints : gimple_opt_pass {
  explicit Safepoints(gcc::context* compiler) : gimple_opt_pass(description, compiler) {}

  unsigned execute(function* of) override {
    if (lookup_attribute("no_sanitize_coverage", DECL_ATTRIBUTES(of->decl))) return 0;
    mark_dfs_back_edges();
    bool is_leaf = true;
    basic_block block;
    FOR_EACH_BB_FN(block, of) {
      if (calls_others(block)) is_leaf = false;
      poll_at_back_edges_of(block);
    }
    if (!is_leaf) gsi_insert_on_edge(single_succ_edge(ENTRY_BLOCK_PTR_FOR_FN(of)), make_poll());
    gsi_commit_edge_inserts();
    return 0;
  }
};

}  // namespace

int plugin_init(plugin_name_args* plugin, plugin_gcc_version* version) {
  if (!plugin_default_version_check(version, &gcc_version)) return 1;
  register_pass_info pass{};
  pass.pass = new Safepoints(g);
  pass.reference_pass_name = "optimized";
  pass.ref_pass_instance_number = 1;
  pass.pos_op = PASS_POS_INSERT_BEFORE;
  register_callback(plugin->base_name, PLUGIN_PASS_MANAGER_SETUP, nullptr, &pass);
  return 0;
}

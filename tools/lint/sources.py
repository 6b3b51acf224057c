# sources.py: each source file of a room compiles alone, though builds may take a room's together.
#
# As headers.py, which leaves the header that a source file includes first to this.
from headers import compile_each_alone
from source_tree import ROOMS, main


def lint(tree):
    sources = tree.files(*[room + "/*.cpp" for room in ROOMS])
    # A plugin needs the headers of its compiler, and is built alone anyway.
    return compile_each_alone(tree, [s for s in sources if not s.endswith("_plugin.cpp")])


if __name__ == "__main__":
    main("sources", lint)

# symbols.py: fails when an archive or object defines a global symbol outside the namespace airssys.
#
#   symbols.py NM FILE
#
# So the archive can meet a host's own mimalloc, and replaces neither malloc nor operator new. It
# reads mangled names: the first name in them has to be airssys.
import re
import subprocess
import sys

OURS = re.compile(r"_Z(T[ISTVHW]|Th[n\d]*_|Tv[n\d]*_[n\d]*_|GV|GR)?Z?NK?7airssys")
SANITIZERS = re.compile(r"_*(asan|tsan|ubsan|odr_asan)_")

listing = subprocess.run([sys.argv[1], "--defined-only", "--extern-only", "--portability",
                          sys.argv[2]], capture_output=True, text=True, check=True).stdout
names = [fields[0] for line in listing.splitlines() if len(fields := line.split()) > 1]
foreign = [n for n in names if not OURS.match(n) and not SANITIZERS.match(n)]
print(f"{len(names)} symbols, {len(foreign)} outside of airssys", *foreign[:40], sep="\n")
sys.exit(1 if foreign or not names else 0)

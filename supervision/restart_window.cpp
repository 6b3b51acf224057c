// restart_window.cpp: how many restarts there have been lately.
#include "supervision/restart_window.hpp"

namespace airssys::rt::supervision {

bool RestartWindow::admit(std::int64_t now_ns) {
  while (!times_.empty() && now_ns - times_.front() > period_.count()) times_.pop_front();
  times_.push_back(now_ns);
  return times_.size() <= intensity_;
}

}  // namespace airssys::rt::supervision

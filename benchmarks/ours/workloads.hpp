// workloads.hpp: the workloads, each in a file of its name. Each runs as a runtime's first process.
//
// A process that does one thing after the other is a body: a plain function that blocks in receive.
// One that only answers what comes is a behaviour or a server, which rests without a stack. Where
// both are natural, a second metric, *_bodies or *_servers, shows the other form.
#pragma once

#include <string_view>

namespace bench {

void pingpong();
void ring();
void spawn();
void idle_bodies();
void idle_hibernating();
void idle_servers();
void fanin();
void big();
void skynet();
void chameneos();
void chatter();
void chatter_tiny();
void traffic_8();
void traffic_100();
void traffic_10000();
void traffic_1000000();
void traffic_tiny();
void echo();
void call();
void selrecv();
void timers();
void growth();
void growth_bodies();
void growth_tiny();
void day_servers();
void day_stacks();
void day_messages();
void day_all();
void day_tiny();
void fair_base();
void fair_spin();
void fair_yield();
void fair_blocked();
void fair_flood();
void fair_storm();
void wake();
void wake_spinning();
void restart();
void restarts();
void restarts_tiny();

}  // namespace bench

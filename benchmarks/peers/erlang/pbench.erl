%% Erlang/OTP peer. Usage: erl ... -run pbench main WORKLOAD
%% Definitions of the workloads: benchmarks/README.md
-module(pbench).
-behaviour(supervisor).
-export([main/1, init/1, child_start/1, mayfly_start/1]).
-export([srv_loop/0]).

main([W]) ->
    logger:set_primary_config(level, none),
    Me = self(),
    process_flag(trap_exit, true),
    P = spawn_link(fun() -> run(W), Me ! finished end),
    receive finished -> ok; {'EXIT', P, Why} when Why =/= normal -> io:format("X ~p~n", [Why]) end,
    erlang:halt(0, [{flush, true}]).

now_ns() -> erlang:monotonic_time(nanosecond).
out(Name, V, Unit) when is_float(V) -> io:format("R ~s ~.3f ~s~n", [Name, V, Unit]);
out(Name, V, Unit) -> io:format("R ~s ~p ~s~n", [Name, V, Unit]).

pct(Sorted, N, Q) -> element(max(1, min(N, ceil(N * Q))), Sorted).
quant(Prefix, L, Unit) ->
    S = list_to_tuple(lists:sort(L)), N = tuple_size(S),
    [out(Prefix ++ "_" ++ Tag, pct(S, N, Q) / 1000, Unit) || {Tag, Q} <- [{"p50",0.5},{"p99",0.99},{"p999",0.999},{"max",1.0}]].

rss() ->
    {ok, B} = file:read_file("/proc/self/statm"),
    [_, R | _] = binary:split(B, <<" ">>, [global]),
    binary_to_integer(R) * 4096.

%% 1 pingpong ---------------------------------------------------------------
run("pingpong") ->
    N = 1000000, Me = self(),
    B = spawn_link(fun pong/0),
    T0 = now_ns(),
    spawn_link(fun() -> ping(B, N), Me ! done end),
    receive done -> ok end,
    out("pingpong", (now_ns() - T0) / N, "ns/rt");
%% 2 ring --------------------------------------------------------------------
run("ring") ->
    P = 1000, M = 1000000, Me = self(),
    First = spawn_link(fun() -> receive {next, Nx} -> ring_loop(Nx, Me) end end),
    Last = lists:foldl(fun(_, Nx) -> spawn_link(fun() -> ring_loop(Nx, Me) end) end, First, lists:seq(1, P - 1)),
    First ! {next, Last},
    T0 = now_ns(),
    First ! M,
    receive done -> ok end,
    out("ring", (now_ns() - T0) / M, "ns/hop");
%% 3 spawn -------------------------------------------------------------------
run("spawn") ->
    T0 = now_ns(),
    spawn_batches(1000),
    out("spawn", (now_ns() - T0) / 1000000, "ns/proc");
%% 4 idle --------------------------------------------------------------------
run("idle") ->
    N = 1000000, Me = self(),
    R0 = rss(), T0 = now_ns(),
    Ps = [spawn(fun() -> receive {ping, F} -> F ! pong end end) || _ <- lists:seq(1, N)],
    T1 = now_ns(), R1 = rss(),
    out("idle_rss", (R1 - R0) / N, "B/proc"),
    out("idle_create", (T1 - T0) / N, "ns/proc"),
    T2 = now_ns(),
    [P ! {ping, Me} || P <- Ps],
    wait_pongs(N),
    out("idle_wake", (now_ns() - T2) / 1.0e6, "ms");
%% 5 fan-in ------------------------------------------------------------------
run("fanin") ->
    S = 8, K = 1000000, Me = self(),
    T0 = now_ns(),
    R = spawn_link(fun() -> count(S * K), Me ! done end),
    [spawn_link(fun() -> fan_send(R, K) end) || _ <- lists:seq(1, S)],
    receive done -> ok end,
    T = now_ns() - T0,
    out("fanin", S * K * 1.0e9 / T, "msg/s");
%% 6 big ---------------------------------------------------------------------
run("big") ->
    P = 1000, Rounds = 4, Me = self(),
    Ps = [spawn_link(fun() -> receive {peers, L} -> big_loop(L -- [self()], Me) end end) || _ <- lists:seq(1, P)],
    [X ! {peers, Ps} || X <- Ps],
    big_round(Ps, P),
    T0 = now_ns(),
    [big_round(Ps, P) || _ <- lists:seq(1, Rounds)],
    T = now_ns() - T0,
    out("big", Rounds * P * (P - 1) * 1.0e9 / T, "msg/s");
%% 7 skynet ------------------------------------------------------------------
run("skynet") ->
    Me = self(), T0 = now_ns(),
    spawn(fun() -> sky(0, 1000000, Me) end),
    Sum = receive X -> X end,
    T = now_ns() - T0,
    499999500000 = Sum,
    out("skynet", T / 1.0e6, "ms");
%% 8 chameneos ---------------------------------------------------------------
run("chameneos") ->
    N = 100, M = 1000000, Me = self(),
    T0 = now_ns(),
    Mall = spawn_link(fun() -> mall(M, none, N, 0, Me) end),
    [spawn_link(fun() -> Mall ! {meet, I rem 3, self()}, cham(I rem 3, 0, Mall) end) || I <- lists:seq(1, N)],
    Sum = receive {sum, S} -> S end,
    T = now_ns() - T0,
    Sum = 2 * M,
    out("chameneos", T / 1.0e6, "ms");
%% 9 call --------------------------------------------------------------------
run("call") ->
    N = 500000, Me = self(),
    {ok, P} = gen_server:start(pbench_srv, [], []),
    T0 = now_ns(),
    spawn_link(fun() -> calls(P, N), Me ! done end),
    receive done -> ok end,
    out("call", N * 1.0e9 / (now_ns() - T0), "call/s");
%% 10 selective receive --------------------------------------------------------
run("selrecv") ->
    Q = 100000, K = 50,
    [self() ! {noise, I} || I <- lists:seq(1, Q)],
    T0 = now_ns(),
    self() ! {match, 0}, receive {match, 0} -> ok end,
    T1 = now_ns(),
    [begin self() ! {match, I}, receive {match, I} -> ok end end || I <- lists:seq(1, K)],
    T2 = now_ns(),
    E = spawn_link(fun echo/0),
    [begin R = make_ref(), E ! {R, self()}, receive {R, _} -> ok end end || _ <- lists:seq(1, 1000)],
    T3 = now_ns(),
    out("selrecv_first", (T1 - T0) / 1000, "us"),
    out("selrecv_again", (T2 - T1) / 1000 / K, "us"),
    out("selrecv_ref_call", (T3 - T2) / 1000 / 1000, "us");
%% 11 timers -------------------------------------------------------------------
run("timers") ->
    N = 1000000, Me = self(),
    P = spawn_link(fun() -> timers(N), Me ! done end),
    receive done -> ok; {'EXIT', P, _} -> ok end;
%% 12 fairness ------------------------------------------------------------------
run("fair_base") -> fair("fair_base", 0, fun() -> ok end);
run("fair_spin") -> fair("fair_spin", 1000, fun() -> hog(1) end);
run("fair_yield") -> fair("fair_yield", 1000, fun() -> hog_yield(1) end);
run("fair_blocked") ->
    %% a read of a pipe into which nobody writes; files are the dirty schedulers' business
    [] = os:cmd("mkfifo silent"),
    C = counters:new(1, []),
    fair("fair_blocked", 100, fun() ->
        {ok, F} = file:open("silent", [read, write, raw]), counters:add(C, 1, 1), file:read(F, 1) end),
    company("fair_blocked", C, "blocked"),
    os:cmd("head -c 200 /dev/zero > silent");  %% a halt waits for them
run("fair_flood") ->
    C = counters:new(1, []),
    Flooded = spawn(fun() -> flooded(C) end),
    fair("fair_flood", 4, fun() -> flood(Flooded, 0) end),
    company("fair_flood", C, "received");
run("fair_storm") ->
    C = counters:new(1, []),
    Me = self(),
    fair("fair_storm", 1, fun() -> {ok, _} = supervisor:start_link(?MODULE, {storm, 100, C}), receive Me -> ok end end),
    company("fair_storm", C, "starts");
%% 13 wake-up latency ------------------------------------------------------------
run("wake") ->
    N = 2000, Me = self(),
    R = spawn_link(fun() -> wake_recv(N, [], Me) end),
    spawn_link(fun() -> wake_send(R, N) end),
    L = receive {lat, X} -> X end,
    quant("wake", L, "us");
%% 14 restart ----------------------------------------------------------------------
run("restart") ->
    N = 1000,
    {ok, _Sup} = supervisor:start_link(?MODULE, self()),
    C0 = receive {up, P0} -> P0 end,
    quant("restart", restart(C0, N, []), "us");
%% 15 group chatter: the letter is 13 words, as in the original -------------------
run("chatter") ->
    Rounds = 1000, Groups = 2 * erlang:system_info(schedulers_online), Me = self(),
    T0 = now_ns(),
    [begin
        Rs = [spawn_link(fun() -> listener(Me, 0, 0, 0) end) || _ <- lists:seq(1, 20)],
        [spawn_link(fun() -> chat(Rs, 1, Rounds) end) || _ <- lists:seq(1, 20)]
     end || _ <- lists:seq(1, Groups)],
    N = 20 * Rounds,
    Peak = lists:max([receive {tally, N, P} -> P end || _ <- lists:seq(1, Groups * 20)]),
    T = now_ns() - T0,
    out("chatter", Groups * 20 * N * 1.0e9 / T, "msg/s"),
    out("chatter_mail_peak", Peak, "messages");
%% 16 random traffic: who there is stands where all can read it ------------------
run("traffic_" ++ Size) ->
    P = list_to_integer(Size),
    process_flag(priority, high),  %% who measures does not wait for a million others
    C = counters:new(1, [write_concurrency]),
    Ps = [spawn_link(fun() -> pass(I, P, I, C) end) || I <- lists:seq(0, P - 1)],
    persistent_term:put(people, list_to_tuple(Ps)),
    [X ! parcel || _ <- lists:seq(1, 5), X <- Ps],
    Rates = lists:sort([traffic_rate(C) || _ <- lists:seq(1, 10)]),
    [X ! {stop, self()} || X <- Ps],
    [receive stopped -> ok end || _ <- Ps],
    kept(Ps, 5 * P, now_ns() + 10000000000),
    Middle = (lists:nth(5, Rates) + lists:nth(6, Rates)) / 2,
    out("traffic_" ++ Size, Middle, "msg/s"),
    out("traffic_" ++ Size ++ "_scatter", (lists:last(Rates) - hd(Rates)) / Middle * 100, "%");
%% 17 TCP echo, until standard input ends ------------------------------------------
run("echo") ->
    {ok, L} = gen_tcp:listen(0, [binary, {ip, {127, 0, 0, 1}}, {active, false}, {nodelay, true},
                                 {backlog, 4096}]),
    {ok, Port} = inet:port(L),
    spawn_link(fun() -> accept(L) end),
    Alive = length(processes()),
    io:format("P ~p~n", [Port]),
    eof = io:get_line(""),
    nobody_left(Alive, now_ns() + 10000000000);
run(_) -> io:format("S~n").

pong() -> receive {From, I} -> From ! I, pong() end.
ping(_, 0) -> ok;
ping(B, N) -> B ! {self(), N}, receive N -> ping(B, N - 1) end.

ring_loop(Nx, Main) ->
    receive
        0 -> Main ! done;
        N -> Nx ! (N - 1), ring_loop(Nx, Main)
    end.

spawn_batches(0) -> ok;
spawn_batches(N) ->
    [spawn_monitor(fun() -> ok end) || _ <- lists:seq(1, 1000)],
    wait_downs(1000),
    spawn_batches(N - 1).
wait_downs(0) -> ok;
wait_downs(N) -> receive {'DOWN', _, process, _, _} -> wait_downs(N - 1) end.

wait_pongs(0) -> ok;
wait_pongs(N) -> receive pong -> wait_pongs(N - 1) end.

count(0) -> ok;
count(N) -> receive {_, _} -> count(N - 1) end.
fan_send(_, 0) -> ok;
fan_send(R, K) -> R ! {K, K}, fan_send(R, K - 1).

big_round(Ps, P) -> [X ! go || X <- Ps], wait_done(P).
wait_done(0) -> ok;
wait_done(N) -> receive bigdone -> wait_done(N - 1) end.
big_loop(Others, Main) ->
    receive go -> [O ! {self(), ping} || O <- Others], big_recv(length(Others)), Main ! bigdone, big_loop(Others, Main) end.
big_recv(0) -> ok;
big_recv(N) -> receive {_, ping} -> big_recv(N - 1) end.

sky(Num, 1, Parent) -> Parent ! Num;
sky(Num, Size, Parent) ->
    Me = self(), Sub = Size div 10,
    [spawn(fun() -> sky(Num + I * Sub, Sub, Me) end) || I <- lists:seq(0, 9)],
    Parent ! sky_sum(10, 0).
sky_sum(0, A) -> A;
sky_sum(N, A) -> receive X -> sky_sum(N - 1, A + X) end.

mall(Left, W, Faded, Sum, Main) ->
    receive
        {meet, C, P} when Left > 0 ->
            case W of
                none -> mall(Left, {C, P}, Faded, Sum, Main);
                {_, Q} -> Q ! {meet, C, P}, mall(Left - 1, none, Faded, Sum, Main)
            end;
        {meet, _, P} -> P ! stop, 
            case W of none -> ok; {_, Q} -> Q ! stop end,
            mall(Left, none, Faded, Sum, Main);
        {count, N} when Faded =:= 1 -> Main ! {sum, Sum + N};
        {count, N} -> mall(Left, W, Faded - 1, Sum + N, Main)
    end.
compl(A, A) -> A;
compl(A, B) -> 3 - A - B.
cham(C, N, Mall) ->
    receive
        {meet, C2, P} -> C3 = compl(C, C2), P ! {change, C3}, Mall ! {meet, C3, self()}, cham(C3, N + 1, Mall);
        {change, C3} -> Mall ! {meet, C3, self()}, cham(C3, N + 1, Mall);
        stop -> Mall ! {count, N}
    end.

calls(_, 0) -> ok;
calls(P, N) -> N = gen_server:call(P, {echo, N}, 5000), calls(P, N - 1).

echo() -> receive {R, F} -> F ! {R, ok}, echo() end.
srv_loop() -> ok.

timers(N) ->
    T0 = now_ns(),
    Refs = arm(N, 12345, []),
    T1 = now_ns(),
    Fired = cancel(Refs, 0, 0),
    T2 = now_ns(),
    out("timer_arm", (T1 - T0) / N, "ns/op"),
    out("timer_cancel", (T2 - T1) / (N * 9 div 10), "ns/op"),
    quant("timer_late", collect(N div 10 + Fired, []), "us").
arm(0, _, Acc) -> Acc;
arm(N, X, Acc) ->
    X1 = (X * 16807 + 1) band 16#7fffffff,
    D = 3000 + (X1 bsr 8) rem 2000,
    arm(N - 1, X1, [erlang:send_after(D, self(), {t, now_ns() + D * 1000000}) | Acc]).
cancel([], _, F) -> F;
cancel([_ | T], I, F) when I rem 10 =:= 0 -> cancel(T, I + 1, F);
cancel([R | T], I, F) ->
    case erlang:cancel_timer(R) of false -> cancel(T, I + 1, F + 1); _ -> cancel(T, I + 1, F) end.
collect(0, A) -> A;
collect(N, A) -> receive {t, D} -> collect(N - 1, [now_ns() - D | A]) end.

hog(X) -> hog((X * 16807 + 1) band 16#7fffffff).
hog_yield(X) -> X1 = work(5000, X), erlang:yield(), hog_yield(X1).
work(0, X) -> X;
work(N, X) -> work(N - 1, (X * 16807 + 1) band 16#7fffffff).

fair(Name, Hogs, F) ->
    Me = self(), Dur = 2000000000,
    Echo = spawn(fun fecho/0),
    T0 = now_ns(),
    %% the pinger reports each sample so that a starved one is still seen
    spawn(fun() -> pinger(Echo, T0 + Dur, [], Me) end),
    Hs = [spawn(F) || _ <- lists:seq(1, Hogs)],
    receive {samples, L} ->
        [exit(H, kill) || H <- Hs],
        out(Name ++ "_n", length(L), "samples"), quant(Name, L, "us")
    end.
%% What the hogs did; nothing: then nothing has been measured.
company(Name, C, Unit) ->
    Did = counters:get(C, 1), true = Did > 0, out(Name ++ "_company", Did, Unit).
flooded(C) -> receive _ -> counters:add(C, 1, 1), flooded(C) end.
flood(To, N) -> To ! {drop, N}, flood(To, N + 1).
fecho() -> receive {P, x} -> P ! y, fecho() end.
pinger(Echo, End, Acc, Main) ->
    T0 = now_ns(),
    receive after 1 -> ok end,
    Echo ! {self(), x}, receive y -> ok end,
    T1 = now_ns(), A1 = [T1 - T0 - 1000000 | Acc],
    if T1 >= End -> Main ! {samples, A1}; true -> pinger(Echo, End, A1, Main) end.

wake_recv(0, L, Main) -> Main ! {lat, L};
wake_recv(N, L, Main) -> receive {w, T} -> D = now_ns() - T, wake_recv(N - 1, [D | L], Main) end.
wake_send(_, 0) -> ok;
wake_send(R, N) ->
    receive after 1 -> ok end,
    T = now_ns(), R ! {w, T}, spin_until(T + 200000), wake_send(R, N - 1).
spin_until(T) -> case now_ns() >= T of true -> ok; false -> spin_until(T) end.

listener(Main, Letters, 20, Peak) -> Main ! {tally, Letters, Peak};
listener(Main, Letters, Dones, Peak) ->
    receive
        {_, _, _, _, _, _, _, _, _, _, _, _} -> listener(Main, Letters + 1, Dones, Peak);
        {do_you_keep_up, P} ->
            {_, N} = process_info(self(), message_queue_len),
            P ! yes, listener(Main, Letters, Dones, max(N, Peak));
        done -> listener(Main, Letters, Dones + 1, Peak)
    end.
chat(Rs, Round, Rounds) when Round > Rounds -> [R ! done || R <- Rs];
chat(Rs, Round, Rounds) ->
    [R ! {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12} || R <- Rs],
    if Round rem 100 =:= 0 ->
            [R ! {do_you_keep_up, self()} || R <- Rs], [receive yes -> ok end || _ <- Rs];
       true -> ok end,
    chat(Rs, Round + 1, Rounds).

pass(I, P, Seed, C) ->
    receive
        parcel ->
            S1 = (Seed * 1664525 + 1013904223) band 16#7fffffff,
            T = (S1 bsr 8) rem (P - 1),
            Other = if T < I -> T + 1; true -> T + 2 end,
            counters:add(C, 1, 1),
            element(Other, persistent_term:get(people)) ! parcel,
            pass(I, P, S1, C);
        {stop, Main} -> Main ! stopped, keep(0)
    end.
keep(N) -> receive parcel -> keep(N + 1); {question, Main} -> Main ! {kept, N}, keep(N) end.
traffic_rate(C) ->
    N0 = counters:get(C, 1), T0 = now_ns(),
    receive after 1000 -> ok end,
    (counters:get(C, 1) - N0) * 1.0e9 / (now_ns() - T0).
kept(Ps, All, Deadline) ->
    [P ! {question, self()} || P <- Ps],
    case {lists:sum([receive {kept, N} -> N end || _ <- Ps]), now_ns() < Deadline} of
        {All, _} -> ok;
        {Sum, true} when Sum < All -> kept(Ps, All, Deadline)
    end.

accept(L) ->
    {ok, S} = gen_tcp:accept(L),
    P = spawn(fun() -> receive go -> echo_tcp(S) end end),
    %% a connection that was reset at once ends by itself
    gen_tcp:controlling_process(S, P), P ! go,
    accept(L).
echo_tcp(S) ->
    case gen_tcp:recv(S, 0) of
        {ok, Bytes} -> gen_tcp:send(S, Bytes), echo_tcp(S);
        {error, _} -> gen_tcp:close(S)
    end.
nobody_left(Alive, Deadline) ->
    case length(processes()) > Alive of
        false -> ok;
        true -> true = now_ns() < Deadline, receive after 1 -> ok end, nobody_left(Alive, Deadline)
    end.

init({storm, N, C}) ->
    {ok, {#{strategy => one_for_one, intensity => 1000000000, period => 1},
          [#{id => I, start => {?MODULE, mayfly_start, [C]}} || I <- lists:seq(1, N)]}};
init(Tester) ->
    {ok, {#{strategy => one_for_one, intensity => 1000000, period => 1},
          [#{id => c, start => {?MODULE, child_start, [Tester]}}]}}.
mayfly_start(C) -> gen_server:start_link(pbench_srv, {mayfly, C}, []).
child_start(Tester) -> gen_server:start_link(pbench_srv, Tester, []).
restart(_, 0, L) -> L;
restart(C, N, L) ->
    T0 = now_ns(),
    exit(C, kill),
    C1 = receive {up, P} -> P end,
    N = gen_server:call(C1, {echo, N}),
    restart(C1, N - 1, [now_ns() - T0 | L]).

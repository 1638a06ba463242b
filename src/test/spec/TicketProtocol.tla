--------------------------- MODULE TicketProtocol ---------------------------
(***************************************************************************)
(* The whole protocol with honest parties: a worker, tenants with          *)
(* requests, two coordinators of different epochs that may be alive at     *)
(* once, and a network that reorders as it likes and, so many times,       *)
(* loses or doubles.  The worker may crash and start again, a tenant's     *)
(* actor may move, timers may be early.  When the faults are used up every *)
(* request must end: no state is stuck (deadlock), and none is gone round  *)
(* for ever (EveryRequestEnds).                                            *)
(*                                                                         *)
(*   here                 there                                            *)
(*   Offer, Withdrawn     SlotUser.offer, withdrawn                        *)
(*   Use                  SlotUser.take, then WorkerCommand.Start          *)
(*   Refused, Ended       SlotUser.finished; a refused request waits again *)
(*   Lost                 no answer: SlotUser.finished and a Return        *)
(*   Awaits, Pruned       PoolSlot.awaits and follow, PoolState.apply      *)
(*   Waiting              PoolState.waiting                                *)
(*   Grant, Recall        PoolState.schedule, Recalls.kept                 *)
(*   Expire               PoolState.expire, holderGone, reclaim            *)
(*   IsActive             CoordinatorState.isActive                        *)
(*                                                                         *)
(* Whom the queue picks is left open: any tenant that wants a slot.        *)
(* Tables and demands are looked at when a coordinator acts.  One that     *)
(* came late is the same as a command that is late: nothing else follows   *)
(* from it.  What goes to an actor that is gone is lost.                   *)
(***************************************************************************)
EXTENDS SlotTable

CONSTANTS
  Coordinators, \* their epochs
  OwnerOf,      \* the tenant of a request
  LossesMax, DoublesMax, CrashesMax, MovesMax, EarlyMax

VARIABLES
  worker,
  runs,     \* what really runs: tickets and requests
  accepted, \* what ever ran in this incarnation
  again,    \* whether a ticket was accepted twice, or a request by one ticket
  net,      \* messages on their way
  requests, \* New, Waiting, Sent with a ticket, Over
  known,    \* per tenant and slot: the last ticket heard of and its use
  address,  \* per tenant: which start of its actor
  coordinators, \* each is Unborn, Alive or Dead
  memory,   \* per coordinator and slot: what it sent and no table has answered yet
  faults    \* how many of each may still happen

vars == <<worker, runs, accepted, again, net, requests, known, address, coordinators, memory, faults>>

Nothing == [incarnation |-> 0, slot |-> NoOne, seq |-> 0]
Unheard == [ticket |-> Nothing, use |-> "Gone"]
NothingSent == [state |-> "None", seq |-> 0, tenant |-> NoOne, holder |-> NoOne,
                recalled |-> FALSE]

Init ==
  /\ worker = NewWorker(1)
  /\ runs = {} /\ accepted = {} /\ again = FALSE
  /\ net = {}
  /\ requests = [a \in Attempts |-> [state |-> "New", ticket |-> Nothing]]
  /\ known = [t \in Tenants |-> [s \in Slots |-> Unheard]]
  /\ address = [t \in Tenants |-> 1]
  /\ coordinators = [c \in Coordinators |-> IF c = 1 THEN "Alive" ELSE "Unborn"]
  /\ memory = [c \in Coordinators |-> [s \in Slots |-> NothingSent]]
  /\ faults = [losses |-> LossesMax, doubles |-> DoublesMax, crashes |-> CrashesMax,
               moves |-> MovesMax, early |-> EarlyMax]

Requests(t) == {a \in Attempts : OwnerOf[a] = t}
Pending(t) == {a \in Requests(t) : requests[a].state = "Waiting"}

----------------------------------------------------------------------------
(* Tenants                                                                 *)

Later(one, other) ==
  \/ one.incarnation > other.incarnation
  \/ one.incarnation = other.incarnation /\ one.seq > other.seq

Arrive(a) ==
  /\ requests[a].state = "New"
  /\ requests' = [requests EXCEPT ![a].state = "Waiting"]
  /\ UNCHANGED <<worker, runs, accepted, again, net, known, address, coordinators, memory, faults>>

Use(t) ==
  \E a \in Pending(t), s \in Slots :
    /\ known[t][s].use = "Idle"
    /\ known' = [known EXCEPT ![t][s].use = "InUse"]
    /\ requests' = [requests EXCEPT ![a] = [state |-> "Sent", ticket |-> known[t][s].ticket]]
    /\ net' = net \cup {[kind |-> "Start", ticket |-> known[t][s].ticket, tenant |-> t,
                         attempt |-> a, to |-> known[t][s].ticket.incarnation]}
    /\ UNCHANGED <<worker, runs, accepted, again, address, coordinators, memory, faults>>

Ends(t, ticket, use) ==
  IF known[t][ticket.slot].ticket = ticket /\ known[t][ticket.slot].use = use
  THEN [known EXCEPT ![t][ticket.slot].use = "Gone"] ELSE known

IsOpen(a, ticket) == requests[a].state = "Sent" /\ requests[a].ticket = ticket

ToTenant(m) ==
  LET t == m.tenant IN
  /\ IF address[t] # m.to
     THEN UNCHANGED <<known, requests>>
     ELSE CASE m.kind = "Held" ->
                 /\ known' = IF Later(m.ticket, known[t][m.ticket.slot].ticket)
                             THEN [known EXCEPT ![t][m.ticket.slot] =
                                     [ticket |-> m.ticket, use |-> "Idle"]]
                             ELSE known
                 /\ UNCHANGED requests
            [] m.kind = "Withdrawn" ->
                 /\ known' = Ends(t, m.ticket, "Idle")
                 /\ UNCHANGED requests
            [] m.kind \in {"Refused", "Ended"} ->
                 IF IsOpen(m.attempt, m.ticket)
                 THEN /\ known' = Ends(t, m.ticket, "InUse")
                      /\ requests' = [requests EXCEPT ![m.attempt] =
                           [state |-> IF m.kind = "Ended" THEN "Over" ELSE "Waiting",
                            ticket |-> Nothing]]
                 ELSE UNCHANGED <<known, requests>>
  /\ UNCHANGED <<worker, runs, accepted, again, address, coordinators, memory>>

\* The gateway gives up waiting; too early, or because nothing can come any more.
Lost(a) ==
  LET ticket == requests[a].ticket
      t == OwnerOf[a]
      late == net = {} /\ ~\E run \in runs : run.attempt = a IN
  /\ requests[a].state = "Sent"
  /\ late \/ faults.early > 0
  /\ faults' = IF late THEN faults ELSE [faults EXCEPT !.early = @ - 1]
  /\ requests' = [requests EXCEPT ![a] = [state |-> "Over", ticket |-> Nothing]]
  /\ known' = Ends(t, ticket, "InUse")
  /\ net' = net \cup {[kind |-> "Return", ticket |-> ticket, to |-> ticket.incarnation]}
  /\ UNCHANGED <<worker, runs, accepted, again, address, coordinators, memory>>

\* A new actor of the tenant knows no ticket; its requests begin anew.
Move(t) ==
  /\ faults.moves > 0
  /\ faults' = [faults EXCEPT !.moves = @ - 1]
  /\ address' = [address EXCEPT ![t] = @ + 1]
  /\ known' = [known EXCEPT ![t] = [s \in Slots |-> Unheard]]
  /\ requests' = [a \in Attempts |->
       IF a \in Requests(t) /\ requests[a].state = "Sent"
       THEN [state |-> "Over", ticket |-> Nothing] ELSE requests[a]]
  /\ UNCHANGED <<worker, runs, accepted, again, net, coordinators, memory>>

----------------------------------------------------------------------------
(* Coordinators                                                            *)

\* One that has read of a higher epoch keeps still.
IsActive(c) == coordinators[c] = "Alive" /\ c >= worker.epoch

Rows == worker.slots

\* What it sees of a slot: the row, unless that was written before its own command arrived.
Awaits(sent, row) ==
  \/ sent.state = "Granted" /\ row.seq = sent.seq /\ row.tenant = NoOne /\ row.attempt = NoOne
  \/ sent.state = "Reclaiming" /\ row.seq <= sent.seq

Sight(c, s) ==
  IF memory[c][s].state # "None" THEN memory[c][s].state
  ELSE IF Rows[s].attempt # NoOne THEN "Running"
  ELSE IF Rows[s].tenant # NoOne THEN "Idle" ELSE "Free"

HolderSeen(c, s) ==
  IF memory[c][s].state = "None" THEN <<Rows[s].tenant, Rows[s].holder>>
  ELSE <<memory[c][s].tenant, memory[c][s].holder>>

\* What is answered is forgotten, with every table, and everything with another incarnation.
Pruned(of, before, now) ==
  [c \in Coordinators |-> [s \in Slots |->
    LET sent == of[c][s] IN
    IF before.incarnation # now.incarnation THEN NothingSent
    ELSE IF sent.state # "None" /\ Awaits(sent, now.slots[s]) THEN sent
    ELSE IF before.slots[s] = now.slots[s] THEN [NothingSent EXCEPT !.recalled = sent.recalled]
    ELSE NothingSent]]

Less(a, b) == IF a > b THEN a - b ELSE 0

Waiting(c, t) ==
  LET pending == Cardinality(Pending(t))
      knownHeld == Cardinality({s \in Slots : known[t][s].use # "Gone"})
      held == Cardinality({s \in Slots : HolderSeen(c, s) = <<t, address[t]>>})
  IN IF pending = 0 THEN 0 ELSE Less(pending, Less(held, knownHeld))

Tell(c, s, message, next) ==
  /\ net' = net \cup {message}
  /\ memory' = [memory EXCEPT ![c][s] = next]
  /\ UNCHANGED <<worker, runs, accepted, again, requests, known, address, coordinators>>

Grant(c) ==
  \E s \in Slots, t \in Tenants :
    LET hold == \A other \in Tenants \ {t} : Waiting(c, other) = 0 IN
    /\ IsActive(c) /\ Sight(c, s) = "Free" /\ Waiting(c, t) > 0
    /\ Tell(c, s,
         [kind |-> "Grant", epoch |-> c, slot |-> s, seq |-> Rows[s].seq, tenant |-> t,
          holder |-> address[t], hold |-> hold, to |-> worker.incarnation],
         [state |-> "Granted", seq |-> Rows[s].seq, tenant |-> t, holder |-> address[t],
          recalled |-> FALSE])
    /\ UNCHANGED faults

\* A timer is on time when everything on its way has arrived and been used, and it is still so.
OnTime ==
  LET quiet == net = {} /\ \A t \in Tenants, s \in Slots :
                             known[t][s].use = "Idle" => Pending(t) = {}
  IN IF quiet THEN UNCHANGED faults
     ELSE faults.early > 0 /\ faults' = [faults EXCEPT !.early = @ - 1]

Recall(c) ==
  \E s \in Slots :
    /\ IsActive(c) /\ ~memory[c][s].recalled
    /\ \E t \in Tenants : Waiting(c, t) > 0
    /\ ~\E other \in Slots : Sight(c, other) = "Free"
    /\ \/ Sight(c, s) = "Running" /\ Rows[s].hold /\ UNCHANGED faults
       \/ Sight(c, s) = "Idle" /\ OnTime
    /\ Tell(c, s,
         [kind |-> "Recall", epoch |-> c, slot |-> s, seq |-> Rows[s].seq,
          to |-> worker.incarnation],
         [memory[c][s] EXCEPT !.recalled = TRUE])

\* A Recall that is not answered is told again, the others become Reclaims.
Expire(c) ==
  \E s \in Slots :
    LET sight == Sight(c, s)
        seq == IF memory[c][s].state = "None" THEN Rows[s].seq ELSE memory[c][s].seq
        t == Rows[s].tenant
        expired ==
          \/ sight \in {"Granted", "Reclaiming"}
          \/ sight = "Idle" /\ (Rows[s].holder # address[t] \/ Pending(t) # {})
    IN
    /\ IsActive(c)
    /\ expired \/ (memory[c][s].recalled /\ net = {})
    /\ OnTime
    /\ IF expired
       THEN Tell(c, s,
              [kind |-> "Reclaim", epoch |-> c, slot |-> s, seq |-> seq, to |-> worker.incarnation],
              [NothingSent EXCEPT !.state = "Reclaiming", !.seq = seq])
       ELSE /\ memory' = [memory EXCEPT ![c][s].recalled = FALSE]
            /\ UNCHANGED <<worker, runs, accepted, again, net, requests, known, address,
                           coordinators>>

\* The next one is there; the one before may go on for a while, or for ever.
Succeed(c) ==
  /\ coordinators[c] = "Unborn"
  /\ coordinators' = [coordinators EXCEPT ![c] = "Alive"]
  /\ UNCHANGED <<worker, runs, accepted, again, net, requests, known, address, memory, faults>>

Stop(c) ==
  /\ coordinators[c] = "Alive"
  /\ \E later \in Coordinators : later > c /\ coordinators[later] = "Alive"
  /\ coordinators' = [coordinators EXCEPT ![c] = "Dead"]
  /\ UNCHANGED <<worker, runs, accepted, again, net, requests, known, address, memory, faults>>

----------------------------------------------------------------------------
(* The worker                                                              *)

Held(w, s) == [kind |-> "Held", ticket |-> Ticket(w, s), tenant |-> w.slots[s].tenant,
               to |-> w.slots[s].holder]
TakenBack(w, s) == [Held(w, s) EXCEPT !.kind = "Withdrawn"]

Answers(m) ==
  CASE m.kind = "Grant" ->
         IF MayGrant(worker, m.slot, m.seq) /\ ~IsOld(worker, m.epoch)
         THEN {Held(worker', m.slot)} ELSE {}
    [] m.kind \in {"Recall", "Reclaim"} ->
         IF Withdraws(worker, m.slot, m.seq) /\ ~IsOld(worker, m.epoch)
         THEN {TakenBack(worker, m.slot)} ELSE {}
    [] m.kind = "Start" ->
         IF Decision(worker, m.ticket, m.tenant, m.attempt) = "Refused"
         THEN {[kind |-> "Refused", ticket |-> m.ticket, attempt |-> m.attempt,
                tenant |-> m.tenant, to |-> address[m.tenant]]}
         ELSE {}
    [] m.kind = "Return" -> {}

Obeyed(m, next) == Seen(IF IsOld(worker, m.epoch) THEN worker ELSE next, m.epoch)

ToWorker(m) ==
  LET run == [ticket |-> m.ticket, attempt |-> m.attempt, tenant |-> m.tenant]
      starts == m.kind = "Start" /\ Decision(worker, m.ticket, m.tenant, m.attempt) = "Accepted"
  IN
  /\ worker' =
       CASE m.kind = "Grant" ->
              Obeyed(m, GrantTo(worker, m.slot, m.seq, m.tenant, m.holder, m.hold))
         [] m.kind = "Recall" -> Obeyed(m, Recalled(worker, m.slot, m.seq))
         [] m.kind = "Reclaim" -> Obeyed(m, Reclaimed(worker, m.slot, m.seq))
         [] m.kind = "Return" -> Returned(worker, m.ticket)
         [] m.kind = "Start" -> IF starts THEN Started(worker, m.ticket, m.attempt) ELSE worker
  /\ IF starts
     THEN /\ again' = (again \/ \E other \in accepted : other.ticket = m.ticket)
          /\ runs' = runs \cup {run}
          /\ accepted' = accepted \cup {run}
     ELSE UNCHANGED <<again, runs, accepted>>
  /\ memory' = Pruned(memory, worker, worker')
  /\ UNCHANGED <<requests, known, address, coordinators>>

Finish ==
  \E run \in runs :
    LET s == run.ticket.slot IN
    /\ runs' = runs \ {run}
    /\ worker' = Finished(worker, s, run.attempt)
    /\ net' = net
         \cup {[kind |-> "Ended", ticket |-> run.ticket, attempt |-> run.attempt,
                tenant |-> run.tenant, to |-> address[run.tenant]]}
         \cup (IF Renews(worker, s, run.attempt) THEN {Held(worker', s)} ELSE {})
    /\ memory' = Pruned(memory, worker, worker')
    /\ UNCHANGED <<accepted, again, requests, known, address, coordinators, faults>>

\* Unused tickets are told again. Where that tells nothing new it is left out.
Repeat ==
  \E s \in Slots :
    LET slot == worker.slots[s] IN
    /\ slot.tenant # NoOne /\ slot.attempt = NoOne /\ slot.holder = address[slot.tenant]
    /\ Later(Ticket(worker, s), known[slot.tenant][s].ticket)
    /\ Held(worker, s) \notin net
    /\ net' = net \cup {Held(worker, s)}
    /\ UNCHANGED <<worker, runs, accepted, again, requests, known, address, coordinators, memory, faults>>

Crash ==
  /\ faults.crashes > 0
  /\ faults' = [faults EXCEPT !.crashes = @ - 1]
  /\ worker' = NewWorker(worker.incarnation + 1)
  /\ runs' = {} /\ accepted' = {}
  /\ memory' = Pruned(memory, worker, worker')
  /\ UNCHANGED <<again, net, requests, known, address, coordinators>>

----------------------------------------------------------------------------
(* The network                                                             *)

ToWorkerKinds == {"Grant", "Recall", "Reclaim", "Return", "Start"}

Arrives(m) ==
  IF m.kind \in ToWorkerKinds
  THEN IF m.to = worker.incarnation
       THEN ToWorker(m)
       ELSE UNCHANGED <<worker, runs, accepted, again, requests, known, address, coordinators, memory>>
  ELSE ToTenant(m)

Replies(m) ==
  IF m.kind \in ToWorkerKinds /\ m.to = worker.incarnation THEN Answers(m) ELSE {}

\* Whether a message can still do something.  One that cannot is as good as lost.
Matters(m) ==
  CASE m.kind = "Held" ->
         address'[m.tenant] = m.to /\ Later(m.ticket, known'[m.tenant][m.ticket.slot].ticket)
    [] m.kind = "Withdrawn" ->
         address'[m.tenant] = m.to /\ ~Later(known'[m.tenant][m.ticket.slot].ticket, m.ticket)
    [] m.kind \in {"Refused", "Ended"} ->
         requests'[m.attempt].state = "Sent" /\ requests'[m.attempt].ticket = m.ticket
    [] m.kind \in {"Start", "Return"} -> m.to = worker'.incarnation
    [] OTHER ->
         /\ m.to = worker'.incarnation
         /\ \/ m.epoch > worker'.epoch
            \/ /\ ~IsOld(worker', m.epoch)
               /\ \/ m.seq >= worker'.slots[m.slot].seq
                  \/ m.kind # "Grant" /\ InTenure(worker'.slots[m.slot], m.seq)

Deliver ==
  \E m \in net :
    /\ Arrives(m)
    /\ net' = {n \in (net \ {m}) \cup Replies(m) : Matters(n)}
    /\ UNCHANGED faults

Double ==
  /\ faults.doubles > 0
  /\ faults' = [faults EXCEPT !.doubles = @ - 1]
  /\ \E m \in net : Arrives(m) /\ net' = {n \in net \cup Replies(m) : Matters(n)}

Lose ==
  /\ faults.losses > 0
  /\ faults' = [faults EXCEPT !.losses = @ - 1]
  /\ \E m \in net : net' = net \ {m}
  /\ UNCHANGED <<worker, runs, accepted, again, requests, known, address, coordinators, memory>>

----------------------------------------------------------------------------

AllOver == \A a \in Attempts : requests[a].state = "Over"

Work ==
  \/ Deliver \/ Finish \/ Repeat
  \/ \E a \in Attempts : Arrive(a) \/ Lost(a)
  \/ \E t \in Tenants : Use(t)
  \/ \E c \in Coordinators : Grant(c) \/ Recall(c) \/ Expire(c) \/ Succeed(c) \/ Stop(c)

Fault == Double \/ Lose \/ Crash \/ \E t \in Tenants : Move(t)

\* At the end nothing need happen.
Rest == AllOver /\ UNCHANGED vars

Spec == Init /\ [][Work \/ Fault \/ Rest]_vars /\ WF_vars(Work)

----------------------------------------------------------------------------
OneRunPerSlot == \A one, other \in runs : one.ticket.slot = other.ticket.slot => one = other

TicketAcceptedOnce == ~again

\* Nobody believes that a ticket is unused that was ever accepted for it.
UsedTicketsAreNotIdle ==
  \A t \in Tenants, s \in Slots :
    known[t][s].use = "Idle" => ~\E run \in accepted : run.ticket = known[t][s].ticket

EveryRequestEnds == \A a \in Attempts : (requests[a].state = "Waiting") ~> (requests[a].state = "Over")
=============================================================================

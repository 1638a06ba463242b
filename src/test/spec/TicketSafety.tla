---------------------------- MODULE TicketSafety ----------------------------
(***************************************************************************)
(* A worker alone against everybody.  Any command of any epoch, any        *)
(* Return and any Start with any ticket that can be written down may       *)
(* arrive at any moment, any number of times: that is every behaviour of   *)
(* any number of coordinators and tenants, honest or not, over a network   *)
(* that loses, doubles and reorders, and more.  The worker may crash and   *)
(* start again, and its slots may be taken away and given back.  Its       *)
(* promises must hold all the same.                                        *)
(*                                                                         *)
(* One worker is enough: a ticket names its worker, and SlotTable.start    *)
(* refuses another's before it looks further.                              *)
(***************************************************************************)
EXTENDS SlotTable, TLC

CONSTANTS SeqMax, IncarnationMax, EpochMax

VARIABLES
  worker,
  runs,    \* what really runs: made by an acceptance, ended by a finish or a crash
  watched, \* one ticket, any; what holds for it holds for each
  uses,    \* how often the watched ticket has been accepted, up to 2
  obeyed,  \* the highest epoch that this incarnation obeyed
  fellBack \* whether it obeyed a lower one after that

vars == <<worker, runs, watched, uses, obeyed, fellBack>>

Seqs == 1..SeqMax
Epochs == 1..EpochMax
Tickets == [incarnation : 1..IncarnationMax, slot : Slots, seq : Seqs]

Init ==
  /\ worker = NewWorker(1)
  /\ runs = {}
  /\ watched \in Tickets
  /\ uses = 0
  /\ obeyed = 0
  /\ fellBack = FALSE

Obey(epoch, next) ==
  /\ worker' = Seen(next, epoch)
  /\ obeyed' = Max(obeyed, epoch)
  /\ fellBack' = (fellBack \/ epoch < obeyed)
  /\ UNCHANGED <<runs, watched, uses>>

\* Commands that change nothing are no steps, but for the epoch that they bear.
Command ==
  \E epoch \in Epochs :
    /\ ~IsOld(worker, epoch)
    /\ \/ epoch > worker.epoch /\ Obey(epoch, worker)
       \/ \E s \in Slots, seq \in Seqs :
            \/ /\ MayGrant(worker, s, seq)
               /\ \E t \in Tenants, hold \in BOOLEAN :
                    Obey(epoch, GrantTo(worker, s, seq, t, t, hold))
            \/ /\ InTenure(worker.slots[s], seq)
               /\ Obey(epoch, Recalled(worker, s, seq))
            \/ /\ InTenure(worker.slots[s], seq) \/ MayVoid(worker, s, seq)
               /\ Obey(epoch, Reclaimed(worker, s, seq))

Return ==
  \E ticket \in Tickets :
    /\ Returned(worker, ticket) # worker
    /\ worker' = Returned(worker, ticket)
    /\ UNCHANGED <<runs, watched, uses, obeyed, fellBack>>

Start ==
  \E ticket \in Tickets, t \in Tenants, a \in Attempts :
    /\ Decision(worker, ticket, t, a) = "Accepted"
    /\ worker' = Started(worker, ticket, a)
    /\ runs' = runs \cup {[ticket |-> ticket, attempt |-> a, tenant |-> t]}
    /\ uses' = IF ticket = watched /\ uses < 2 THEN uses + 1 ELSE uses
    /\ UNCHANGED <<watched, obeyed, fellBack>>

Finish ==
  \E run \in runs :
    /\ worker' = Finished(worker, run.ticket.slot, run.attempt)
    /\ runs' = runs \ {run}
    /\ UNCHANGED <<watched, uses, obeyed, fellBack>>

Resize ==
  \E s \in Slots :
    /\ worker' = IF worker.slots[s].there /\ ~worker.slots[s].retiring
                 THEN Shrunk(worker, s) ELSE Grown(worker, s)
    /\ UNCHANGED <<runs, watched, uses, obeyed, fellBack>>

Crash ==
  /\ worker.incarnation < IncarnationMax
  /\ worker' = NewWorker(worker.incarnation + 1)
  /\ runs' = {}
  /\ obeyed' = 0
  /\ fellBack' = FALSE
  /\ UNCHANGED <<watched, uses>>

Next == Command \/ Return \/ Start \/ Finish \/ Resize \/ Crash

Spec == Init /\ [][Next]_vars

----------------------------------------------------------------------------
(* The numbers have no end, the search must.                               *)
WithinBounds == worker.floor <= SeqMax /\ \A s \in Slots : worker.slots[s].seq <= SeqMax

Symmetry == Permutations(Tenants) \cup Permutations(Attempts) \cup Permutations(Slots)

----------------------------------------------------------------------------
OneRunPerSlot == \A one, other \in runs : one.ticket.slot = other.ticket.slot => one = other

TicketAcceptedOnce == uses <= 1

\* The table knows what runs, neither more nor less.
TableTellsRuns ==
  \A s \in Slots :
    (worker.slots[s].attempt # NoOne) <=> (\E run \in runs : run.ticket.slot = s)

RunsBelongToTheHolder ==
  \A run \in runs : worker.slots[run.ticket.slot].tenant = run.tenant

OldEpochsAreNotObeyed == ~fellBack

\* A number, once passed, does not come back within an incarnation.
NumbersOnlyRise ==
  [][worker'.incarnation = worker.incarnation =>
       \A s \in Slots :
         worker.slots[s].there /\ worker'.slots[s].there =>
           worker'.slots[s].seq >= worker.slots[s].seq]_vars
=============================================================================

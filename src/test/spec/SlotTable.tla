----------------------------- MODULE SlotTable -----------------------------
(***************************************************************************)
(* The worker's side of a slot: SlotTable.java and the epoch check of      *)
(* WorkerSlots.java, method by method, as functions from a worker and a    *)
(* message to a worker.  Both other modules are made of it.                *)
(*                                                                         *)
(*   here                 there                                            *)
(*   NewWorker            new WorkerSlots, after a start or a restart      *)
(*   InTenure             SlotTable.Slot.inTenure                          *)
(*   IsOld, Seen          WorkerSlots.isOld                                *)
(*   GrantTo              SlotTable.grant                                  *)
(*   Recalled             SlotTable.recall                                 *)
(*   Reclaimed            SlotTable.reclaim                                *)
(*   Returned             SlotTable.giveBack                               *)
(*   Decision, Started    SlotTable.start                                  *)
(*   Finished             SlotTable.finish                                 *)
(*   Shrunk, Grown        SlotTable.resize, one slot at a time             *)
(*   Ticket               SlotTable.ticket                                 *)
(*                                                                         *)
(* Left out: Report effects (the coordinator may look at any time),        *)
(* quietRepeats (how often a ticket is told again; here the network may    *)
(* repeat whatever it likes), and what a slot remembers of costs and       *)
(* small requests, by which nothing here is decided.                       *)
(***************************************************************************)
EXTENDS Naturals, FiniteSets

CONSTANTS
  Slots,      \* indexes of the worker's slots
  Tenants,
  Attempts,
  NoOne,      \* no tenant, no attempt, no address
  ChecksSeq,  \* FALSE: the mutation that accepts a ticket of any number
  ChecksEpoch \* FALSE: the mutation that obeys every coordinator

Gone == [there |-> FALSE, seq |-> 0, tenureSeq |-> 0, tenant |-> NoOne, holder |-> NoOne,
         attempt |-> NoOne, lastAttempt |-> NoOne, lastSeq |-> 0, hold |-> FALSE,
         retiring |-> FALSE]

NewSlot(floor) == [Gone EXCEPT !.there = TRUE, !.seq = floor]

NewWorker(incarnation) ==
  [incarnation |-> incarnation, epoch |-> 0, floor |-> 1, slots |-> [s \in Slots |-> NewSlot(1)]]

Ticket(w, s) == [incarnation |-> w.incarnation, slot |-> s, seq |-> w.slots[s].seq]

InTenure(slot, seq) == slot.tenant # NoOne /\ seq >= slot.tenureSeq /\ seq <= slot.seq

\* The highest epoch seen is noted before the command is judged.
IsOld(w, epoch) == ChecksEpoch /\ epoch < w.epoch
Seen(w, epoch) == [w EXCEPT !.epoch = IF epoch > @ THEN epoch ELSE @]

Free(slot) == [slot EXCEPT !.tenant = NoOne, !.holder = NoOne, !.hold = FALSE]
With(w, s, slot) == [w EXCEPT !.slots[s] = slot]
Max(a, b) == IF a > b THEN a ELSE b

Removed(w, s) == [With(w, s, Gone) EXCEPT !.floor = Max(@, w.slots[s].seq + 1)]

----------------------------------------------------------------------------
(* Commands of coordinators; the caller has asked IsOld.                   *)

MayGrant(w, s, seq) ==
  LET slot == w.slots[s] IN
  slot.there /\ slot.attempt = NoOne /\ ~slot.retiring /\ slot.seq = seq /\ slot.tenant = NoOne

GrantTo(w, s, seq, tenant, holder, hold) ==
  IF MayGrant(w, s, seq)
  THEN With(w, s, [w.slots[s] EXCEPT !.tenant = tenant, !.holder = holder, !.hold = hold,
                                     !.tenureSeq = w.slots[s].seq])
  ELSE w

\* Whether the command takes an unused ticket from its holder.
Withdraws(w, s, seq) ==
  LET slot == w.slots[s] IN slot.there /\ InTenure(slot, seq) /\ slot.attempt = NoOne

Recalled(w, s, seq) ==
  LET slot == w.slots[s] IN
  IF ~slot.there \/ ~InTenure(slot, seq) THEN w
  ELSE IF slot.attempt # NoOne THEN With(w, s, [slot EXCEPT !.hold = FALSE])
  ELSE With(w, s, [Free(slot) EXCEPT !.seq = @ + 1])

\* Whether a Reclaim voids a Grant that is late.
MayVoid(w, s, seq) ==
  LET slot == w.slots[s] IN slot.there /\ slot.tenant = NoOne /\ slot.seq = seq

Reclaimed(w, s, seq) ==
  IF MayVoid(w, s, seq)
  THEN With(w, s, [w.slots[s] EXCEPT !.seq = @ + 1])
  ELSE Recalled(w, s, seq)

----------------------------------------------------------------------------
(* Messages about a ticket.                                                *)

Returned(w, ticket) ==
  LET slot == w.slots[ticket.slot] IN
  IF slot.there /\ ticket.incarnation = w.incarnation /\ slot.tenant # NoOne
       /\ slot.attempt = NoOne /\ slot.seq = ticket.seq
  THEN With(w, ticket.slot, [Free(slot) EXCEPT !.seq = @ + 1])
  ELSE w

Decision(w, ticket, tenant, attempt) ==
  LET slot == w.slots[ticket.slot] IN
  IF ticket.incarnation # w.incarnation THEN "Refused"
  ELSE IF ~slot.there THEN "Refused"
  ELSE IF attempt = slot.lastAttempt /\ ticket.seq = slot.lastSeq THEN "Repeated"
  ELSE IF ChecksSeq /\ ticket.seq # slot.seq THEN "Refused"
  ELSE IF slot.tenant = NoOne \/ slot.attempt # NoOne THEN "Refused"
  ELSE IF slot.tenant # tenant THEN "Refused"
  ELSE "Accepted"

Started(w, ticket, attempt) ==
  LET slot == w.slots[ticket.slot] IN
  With(w, ticket.slot, [slot EXCEPT !.attempt = attempt, !.lastAttempt = attempt,
                                    !.lastSeq = slot.seq, !.seq = @ + 1])

----------------------------------------------------------------------------
(* What the worker does by itself.                                         *)

MayFinish(w, s, attempt) == w.slots[s].there /\ w.slots[s].attempt = attempt

\* Whether the holder gets the next ticket straight from the worker: the lease is renewed.
Renews(w, s, attempt) ==
  MayFinish(w, s, attempt) /\ ~w.slots[s].retiring /\ w.slots[s].hold

Finished(w, s, attempt) ==
  LET slot == [w.slots[s] EXCEPT !.attempt = NoOne] IN
  IF ~MayFinish(w, s, attempt) THEN w
  ELSE IF slot.retiring THEN Removed(With(w, s, Free(slot)), s)
  ELSE IF slot.hold THEN With(w, s, slot)
  ELSE With(w, s, Free(slot))

Shrunk(w, s) ==
  LET slot == w.slots[s] IN
  IF slot.attempt # NoOne THEN With(w, s, [slot EXCEPT !.retiring = TRUE, !.hold = FALSE])
  ELSE IF slot.tenant # NoOne
  THEN Removed(With(w, s, [Free(slot) EXCEPT !.seq = @ + 1]), s)
  ELSE Removed(w, s)

Grown(w, s) ==
  LET slot == w.slots[s] IN
  IF slot.there THEN With(w, s, [slot EXCEPT !.retiring = FALSE])
  ELSE With(w, s, NewSlot(w.floor))
=============================================================================

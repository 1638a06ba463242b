-------------------------- MODULE MCTicketProtocol --------------------------
(* Whose the requests of the checked model are. *)
EXTENDS TicketProtocol, TLC
CONSTANTS acme, globex, a1, g1
Owners == (a1 :> acme) @@ (g1 :> globex)
=============================================================================

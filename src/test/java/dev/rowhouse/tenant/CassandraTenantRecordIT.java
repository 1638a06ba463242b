package dev.rowhouse.tenant;

final class CassandraTenantRecordIT extends TenantRecordContract {
  CassandraTenantRecordIT() {
    super(TenantJournal.cassandra("records"));
  }
}

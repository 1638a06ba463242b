package dev.rowhouse;

import dev.rowhouse.http.Planes;
import java.net.InetSocketAddress;
import java.util.List;

/** What a node that is ready says to whoever started it. */
final class Greeting {
  private Greeting() {}

  static String of(Planes planes, List<String> roles, DataDirectory data, boolean tokenFromFile) {
    InetSocketAddress tenantAddress = planes.tenantAddress();
    if (tenantAddress == null) {
      return "Rowhouse %s is ready, with the roles %s.\n  operator plane  %s"
          .formatted(Node.version(), String.join(", ", roles), url(planes.operatorAddress()));
    }
    String tenantPlane = url(tenantAddress);
    String operatorPlane = url(planes.operatorAddress());
    String token =
        tokenFromFile ? "$(cat '" + data.operatorTokenFile() + "')" : "$ROWHOUSE_OPERATOR_TOKEN";
    return """
    Rowhouse %s is ready.
      tenant plane    %s   console %s/console
      operator plane  %s   console %s/console
      operator token  %s
    Try next:
      curl -X PUT %s/admin/tenants/acme -H "Authorization: Bearer %s\"\
    """
        .formatted(
            Node.version(),
            tenantPlane,
            tenantPlane,
            operatorPlane,
            operatorPlane,
            tokenFromFile ? data.operatorTokenFile() : "from ROWHOUSE_OPERATOR_TOKEN",
            operatorPlane,
            token);
  }

  private static String url(InetSocketAddress address) {
    String host = address.getAddress().isAnyLocalAddress() ? "127.0.0.1" : address.getHostString();
    return "http://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + address.getPort();
  }
}

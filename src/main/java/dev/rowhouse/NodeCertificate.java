package dev.rowhouse;

import com.typesafe.config.Config;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Instant;

/**
 * The certificate that this node shows to others, looked at before it is used: a node whose
 * certificate no other would take says so in a line, and does not knock for a minute.
 */
final class NodeCertificate {
  private NodeCertificate() {}

  /** Checks it when conf/tls.conf is in use. */
  static void check(Config config, Instant now) {
    if (!config.getString("pekko.remote.artery.transport").equals("tls-tcp")) {
      return;
    }
    Config engine = config.getConfig("pekko.remote.artery.ssl.rotating-keys-engine");
    Path certificateFile = Path.of(engine.getString("cert-file"));
    Path authorityFile = Path.of(engine.getString("ca-cert-file"));
    Path keyFile = Path.of(engine.getString("key-file"));
    if (!Files.isReadable(keyFile)) {
      throw unusable("the key " + keyFile + " is not there, or not to be read");
    }
    X509Certificate certificate = read(certificateFile);
    X509Certificate authority = read(authorityFile);
    if (now.isAfter(certificate.getNotAfter().toInstant())) {
      throw unusable(certificateFile + " has expired on " + certificate.getNotAfter().toInstant());
    }
    if (now.isBefore(certificate.getNotBefore().toInstant())) {
      throw unusable(
          certificateFile + " is not valid before " + certificate.getNotBefore().toInstant());
    }
    try {
      certificate.verify(authority.getPublicKey());
    } catch (GeneralSecurityException e) {
      throw unusable(certificateFile + " was not signed by the authority of " + authorityFile);
    }
  }

  private static X509Certificate read(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
    } catch (IOException e) {
      throw unusable(file + " is not there, or not to be read");
    } catch (CertificateException e) {
      throw unusable(file + " holds no certificate");
    }
  }

  private static StartFailure unusable(String why) {
    return new StartFailure(
        StartFailure.CONFIG,
        "This node's certificate cannot be used: "
            + why
            + ". Renew the files that ROWHOUSE_TLS_DIR names (conf/tls.conf).");
  }
}

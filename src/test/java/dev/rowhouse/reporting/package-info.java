@org.jspecify.annotations.NullMarked
package dev.rowhouse.reporting;

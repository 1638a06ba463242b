@org.jspecify.annotations.NullMarked
package dev.rowhouse.journal;

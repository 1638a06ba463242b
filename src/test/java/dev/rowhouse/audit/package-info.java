@org.jspecify.annotations.NullMarked
package dev.rowhouse.audit;

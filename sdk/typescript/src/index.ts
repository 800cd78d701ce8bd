export * from "./management.js";

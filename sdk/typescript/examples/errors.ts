import {
  isNetworkError,
  isNotFoundError,
  isUnauthorizedError,
  isValidationError,
  ManagementClient,
} from "@prokura/sdk";

const client = new ManagementClient({
  baseUrl: process.env.PROKURA_URL ?? "http://127.0.0.1:8080",
  credentials: {
    clientId: process.env.PROKURA_CLIENT_ID ?? "",
    clientSecret: process.env.PROKURA_CLIENT_SECRET ?? "",
  },
});

try {
  await client.serviceAccounts.get("019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47", { signal: AbortSignal.timeout(5_000) });
} catch (error) {
  if (isNotFoundError(error)) {
    console.log(error.statusCode, error.code, error.message, error.requestId);
  } else if (isValidationError(error)) {
    for (const { field, message } of error.validationErrors) console.log(field, message);
  } else if (isUnauthorizedError(error)) {
    console.log("the credentials are wrong, or the account is disabled, expired or deleted");
  } else if (isNetworkError(error)) {
    console.log(error.message, error.cause);
  } else {
    throw error;
  }
}

// Credentials typed into the page stay in it: they are not kept, and nobody else is asked to validate the document.
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
});

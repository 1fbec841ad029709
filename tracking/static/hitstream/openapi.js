"use strict";
// The stock admin sets light, dark or auto on the root element; Swagger UI takes a class there.
{
    const root = document.documentElement;
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    const follow = () => {
        const theme = root.dataset.theme;
        root.classList.toggle("dark-mode", theme === "dark" || (theme !== "light" && dark.matches));
    };
    follow();
    dark.addEventListener("change", follow);
    new MutationObserver(follow).observe(root, { attributeFilter: ["data-theme"] });
    const place = document.getElementById("hs-openapi");
    SwaggerUIBundle({
        domNode: place,
        url: place.dataset.schema,
        // Otherwise Swagger UI loads a badge from another site.
        validatorUrl: null,
        deepLinking: true,
        displayRequestDuration: true,
        defaultModelsExpandDepth: 0,
        tryItOutEnabled: true,
        syntaxHighlight: false,
    });
}
